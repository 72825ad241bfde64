//! How a mail leaves: over SMTP, or as a file for whoever develops.
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Body, Mailbox, Message};
use lettre::{Address, AsyncFileTransport, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::ExposeSecret;

use super::models::Mail;
use crate::settings::Settings;

/// How long sending one mail may take; less than the time for which a mail is claimed.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The longest line that goes as it is, in bytes (RFC 5322, section 2.1.1).
const LINE: usize = 998;

enum Way {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Files(PathBuf),
}

/// Sends mails.
pub struct Transport {
    sender: Mailbox,
    way: Way,
}

impl Transport {
    /// The way that the settings name.
    pub fn new(settings: &Settings) -> anyhow::Result<Self> {
        let way = match &settings.smtp_url {
            Some(url) => {
                let smtp = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret());
                Way::Smtp(smtp.context("SMTP_URL")?.timeout(Some(TIMEOUT)).build())
            }
            None => Way::Files(settings.mail_dir.clone()),
        };
        Ok(Self { sender: settings.mail_from.clone(), way })
    }

    /// Sends one mail.
    pub async fn send(&self, mail: &Mail) -> anyhow::Result<()> {
        let recipient: Address = mail.recipient.parse()?;
        // The same however often it is sent, so that a mailbox can tell that it has it already.
        let message_id = format!("<{}@{}>", mail.id, self.sender.email.domain());
        let message = Message::builder()
            .message_id(Some(message_id))
            .from(self.sender.clone())
            .to(Mailbox::new(None, recipient))
            .subject(&mail.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(body(&mail.body))?;
        match &self.way {
            Way::Smtp(smtp) => {
                tokio::time::timeout(TIMEOUT, smtp.send(message)).await??;
            }
            Way::Files(directory) => {
                // Mails hold tokens: nobody else on the machine reads them.
                tokio::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).await?;
                AsyncFileTransport::<Tokio1Executor>::new(directory).send(message).await?;
            }
        }
        Ok(())
    }
}

/// A text as the body of a mail. One that needs no encoding gets none, so that a long link stays on one line for whoever
/// reads the mail as a file.
fn body(text: &str) -> Body {
    if text.is_ascii() && text.lines().all(|line| line.len() <= LINE) {
        let lines = text.replace('\n', "\r\n").into_bytes();
        return Body::dangerous_pre_encoded(lines, ContentTransferEncoding::SevenBit);
    }
    Body::new(text.to_owned())
}

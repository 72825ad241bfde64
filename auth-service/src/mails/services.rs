//! The transport of mails: SMTP, or files for development.
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use axum::http::Uri;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, Message, MultiPart, SinglePart};
use lettre::transport::smtp;
use lettre::transport::smtp::response::{Category, Severity};
use lettre::{Address, AsyncFileTransport, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};

use super::models::Mail;
use super::templates::{MailContents, MailContext, render};

/// How long sending one mail may take; less than the time for which a mail is claimed.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The longest line that goes as it is, in bytes (RFC 5322, section 2.1.1).
const LINE: usize = 998;

/// Settings of mails.
#[derive(clap::Args, Clone, Debug)]
pub struct MailSettings {
    /// Mail server, a URL with scheme smtps, or smtp and `?tls=required`; without it mails become files
    #[arg(long, env = "SMTP_URL", hide_env_values = true)]
    pub smtp_url: Option<SecretString>,

    /// Directory of the mails that become files
    #[arg(long, env = "MAIL_DIR", default_value = ".stack/mail")]
    pub mail_dir: PathBuf,

    /// The sender of mails
    #[arg(long, env = "MAIL_FROM", default_value = "Social network <no-reply@localhost>")]
    pub mail_from: Mailbox,

    /// Where people reach this service, for links in mails: scheme and host, a path prefix if there is one
    #[arg(long, env = "PUBLIC_URL", default_value = "http://127.0.0.1:8000", value_parser = public_url)]
    pub public_url: String,

    /// Where the web client is; mails then lead to its /activate, /reset-password and /forgot-password
    #[arg(long, env = "WEB_URL", value_parser = public_url)]
    pub web_url: Option<String>,
}

fn public_url(text: &str) -> Result<String, String> {
    let uri: Uri = text.parse().map_err(|cause: axum::http::uri::InvalidUri| cause.to_string())?;
    if uri.scheme().is_none() || uri.host().is_none() {
        return Err("a URL with scheme and host is needed".into());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The mail server refuses this mail for good.
    #[error("refused: {0:#}")]
    Permanent(anyhow::Error),
    /// It may work later.
    #[error("{0:#}")]
    Transient(anyhow::Error),
}

impl From<smtp::Error> for SendError {
    fn from(error: smtp::Error) -> Self {
        // 55x is about the mailbox or the mail (RFC 5321, section 4.2.1); 53x, a wrong password of ours, is not.
        let about_the_mail = error.status().is_some_and(|code| {
            code.severity == Severity::PermanentNegativeCompletion && code.category == Category::MailSystem
        });
        if about_the_mail { Self::Permanent(error.into()) } else { Self::Transient(error.into()) }
    }
}

enum Delivery {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Files(PathBuf),
}

/// Sends mails.
pub struct MailTransport {
    sender: Mailbox,
    context: MailContext,
    delivery: Delivery,
}

impl MailTransport {
    /// The transport that the settings name.
    pub fn new(settings: &MailSettings) -> anyhow::Result<Self> {
        let delivery = match &settings.smtp_url {
            Some(url) => {
                let smtp = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret());
                Delivery::Smtp(smtp.context("SMTP_URL")?.timeout(Some(TIMEOUT)).build())
            }
            None => Delivery::Files(settings.mail_dir.clone()),
        };
        let sender = settings.mail_from.clone();
        let context = MailContext {
            sender: sender.name.clone().unwrap_or_else(|| sender.email.domain().to_owned()),
            api: settings.public_url.clone(),
            web: settings.web_url.clone(),
        };
        Ok(Self { sender, context, delivery })
    }

    /// Sends one mail.
    pub async fn send(&self, mail: &Mail, contents: &MailContents) -> Result<(), SendError> {
        let message = self.compose(mail, contents).map_err(SendError::Permanent)?;
        match &self.delivery {
            Delivery::Smtp(smtp) => {
                let sent = tokio::time::timeout(TIMEOUT, smtp.send(message)).await;
                sent.map_err(|elapsed| SendError::Transient(elapsed.into()))??;
            }
            Delivery::Files(directory) => file(directory, message).await.map_err(SendError::Transient)?,
        }
        Ok(())
    }

    fn compose(&self, mail: &Mail, contents: &MailContents) -> anyhow::Result<Message> {
        let recipient: Address = mail.recipient.parse()?;
        let rendered = render(&mail.letter, mail.created_at.0, contents, &self.context)?;
        let plain = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(body(&rendered.text));
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into());
        // What Exchange reads in its place.
        let silent = HeaderValue::new(HeaderName::new_from_ascii_str("X-Auto-Response-Suppress"), "All".into());
        let mut message = Message::builder()
            // The same however often it is sent, so that a mailbox recognises a duplicate.
            .message_id(Some(format!("<{}@{}>", mail.id, self.sender.email.domain())))
            .from(self.sender.clone())
            .to(Mailbox::new(None, recipient))
            .subject(rendered.subject)
            .raw_header(automatic)
            .raw_header(silent);
        for header in mail.letter.unsubscribe_url().map(unsubscribe_headers).into_iter().flatten() {
            message = message.raw_header(header);
        }
        Ok(message.multipart(MultiPart::alternative().singlepart(plain).singlepart(SinglePart::html(rendered.html)))?)
    }
}

/// The headers by which a mail program shows a button of its own that ends such mails (RFC 2369 and RFC 8058). One-click needs
/// HTTPS. The link is printable ASCII without blanks, and must not be encoded or folded: programs take it as it stands.
fn unsubscribe_headers(url: &str) -> Vec<HeaderValue> {
    let header = |name, value: String| {
        HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.clone(), value)
    };
    let mut headers = vec![header("List-Unsubscribe", format!("<{url}>"))];
    if url.starts_with("https://") {
        headers.push(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
    }
    headers
}

async fn file(directory: &PathBuf, message: Message) -> anyhow::Result<()> {
    // Mails hold tokens: no other user of the machine may read them.
    tokio::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).await?;
    AsyncFileTransport::<Tokio1Executor>::new(directory).send(message).await?;
    Ok(())
}

/// A text as the body of a mail. One that needs no encoding gets none, so that a long link stays on one line in a mail
/// that is a file.
fn body(text: &str) -> Body {
    if text.is_ascii() && text.lines().all(|line| line.len() <= LINE) {
        let lines = text.replace('\n', "\r\n").into_bytes();
        return Body::dangerous_pre_encoded(lines, ContentTransferEncoding::SevenBit);
    }
    Body::new(text.to_owned())
}

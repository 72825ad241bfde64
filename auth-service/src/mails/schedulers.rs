//! Sends the mails that are due, and removes what was kept of them for long enough.
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::models::Mail;
use super::notifications::lines;
use super::services::{MailTransport, SendError};
use super::templates::MailContents;
use crate::core::app::App;
use crate::core::app::limits::RateLimitDecision;
use crate::core::ground::jobs::Job;
use crate::core::ground::worker::{Outcome, Worker};
use crate::tokens::models::MailedToken;
use crate::tokens::services::issue;
use crate::users::address;

/// How often the worker polls for mails of other replicas, and for tries that are due again.
const POLL: Duration = Duration::from_secs(1);
/// When the table is swept: once a night.
const SWEEP: &str = "0 17 3 * * *";

/// Sends mails, one after the other.
pub struct MailSender {
    app: App,
    transport: Arc<MailTransport>,
}

impl MailSender {
    /// A sender that has not polled yet.
    pub fn new(app: &App, transport: Arc<MailTransport>) -> Self {
        for outcome in ["sent", "failed", "given up", "limited", "outdated"] {
            metrics::counter!("mails_total", "outcome" => outcome).increment(0);
        }
        Self { app: app.clone(), transport }
    }

    /// What is found out for a mail now; none when it is not to be sent any more.
    async fn contents(&self, mail: &Mail) -> sqlx::Result<Option<MailContents>> {
        let Some(items) = mail.letter.notifications() else {
            let token = self.token(mail).await?;
            return Ok(token.map(|token| MailContents { token, lines: Vec::new() }));
        };
        let db = &self.app.db;
        let users: Vec<_> = items.iter().flat_map(|item| item.actor_ids.iter().copied()).collect();
        let lines = lines(items, &Mail::list_names(db, mail.user_id, &users).await?);
        if lines.is_empty() || !mail.has_reader(db).await? {
            Mail::delete(db, mail.id).await?;
            count("outdated");
            return Ok(None);
        }
        Ok(Some(MailContents { token: String::new(), lines }))
    }

    /// The token that a mail brings, which is stored now, or an empty one; none when the mail is not to be sent any more.
    async fn token(&self, mail: &Mail) -> sqlx::Result<Option<String>> {
        let Some(purpose) = mail.letter.purpose() else { return Ok(Some(String::new())) };
        let mut tx = self.app.db.begin().await?;
        let token = if mail.still_holds(&mut tx, purpose).await? {
            let token = MailedToken { user: mail.user_id, email: mail.recipient.clone(), about: mail.about };
            Some(issue(&mut tx, &token, purpose).await?)
        } else {
            Mail::delete(&mut *tx, mail.id).await?;
            None
        };
        tx.commit().await?;
        Ok(token)
    }

    /// Whether the mailbox has not had too many such mails, whatever caused them; counts this one.
    async fn allows(&self, mail: &Mail) -> bool {
        let mailbox = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(address::key(&mail.recipient)));
        self.app.limits.take(mail.letter.limit(), &mailbox).await.is_none_or(RateLimitDecision::allowed)
    }

    async fn fail(&self, mail: &Mail, failure: &SendError) -> anyhow::Result<Outcome> {
        let late = mail.due_at.0 - mail.created_at.0 > mail.letter.patience();
        let over = late || matches!(failure, SendError::Permanent(_));
        Mail::failed(&self.app.db, mail.id, &failure.to_string(), over).await?;
        count(if over { "given up" } else { "failed" });
        // The error stands in the row: a mail server's answer may name the address, and logs hold no addresses.
        if over {
            tracing::error!(mail = %mail.id, "a mail was given up");
            return Ok(Outcome::Busy);
        }
        anyhow::bail!("mail {} was not sent and will be tried again", mail.id)
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("mails_total", "outcome" => outcome).increment(1);
}

impl Worker for MailSender {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let Some(mail) = Mail::claim(&self.app.db).await? else {
            let (waiting, failed) = Mail::count(&self.app.db).await?;
            gauge("waiting", waiting);
            gauge("failed", failed);
            return Ok(Outcome::Idle(POLL));
        };
        if mail.tries == 1 && !self.allows(&mail).await {
            Mail::delete(&self.app.db, mail.id).await?;
            count("limited");
            return Ok(Outcome::Busy);
        }
        let Some(contents) = self.contents(&mail).await? else { return Ok(Outcome::Busy) };
        if let Err(failure) = self.transport.send(&mail, &contents).await {
            return self.fail(&mail, &failure).await;
        }
        Mail::sent(&self.app.db, mail.id).await?;
        count("sent");
        Ok(Outcome::Busy)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float; counts stay far below 2^52")]
fn gauge(state: &'static str, mails: i64) {
    metrics::gauge!("mails", "state" => state).set(mails as f64);
}

/// The job that removes mails that were sent or given up long ago.
pub fn sweep(app: &App) -> Job {
    Job::new("mails", SWEEP, app.db.clone(), |db| async move { Ok(Mail::sweep(&db).await?) })
}

//! Sends the mails that are due.
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::Notify;

use super::models::Mail;
use crate::core::App;
use crate::core::worker::{Outcome, Worker};

/// How often the worker looks for mails of other replicas, and for tries that are due again.
const POLL: Duration = Duration::from_secs(1);

/// Sends mails, one after the other.
pub struct Postman {
    app: App,
    due: Arc<Notify>,
}

impl Postman {
    /// A postman who has looked nowhere yet.
    pub fn new(app: &App) -> Self {
        Self { app: app.clone(), due: app.resources.mails_due.clone() }
    }
}

impl Worker for Postman {
    fn name(&self) -> String {
        "mails".into()
    }

    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let Some(mail) = Mail::claim(&self.app.db).await? else { return Ok(Outcome::Idle) };
        let sent = self.app.resources.mails.send(&mail).await;
        let outcome = if sent.is_ok() { "sent" } else { "failed" };
        metrics::counter!("mails_total", "outcome" => outcome).increment(1);
        // The address is left out: logs name nobody.
        sent.with_context(|| format!("mail {} was not sent and will be tried again", mail.id))?;
        Mail::sent(&self.app.db, mail.id).await?;
        Ok(Outcome::Busy)
    }

    fn pause(&self) -> Duration {
        POLL
    }

    fn alarm(&self) -> &Notify {
        &self.due
    }
}

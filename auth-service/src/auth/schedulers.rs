//! Processes password reset requests: where the address has an account, a mail with a token goes there.
use std::time::Duration;

use super::models::ResetRequest;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};
use crate::mails::signals;
use crate::users::models::Account;

/// How often the worker polls for requests that other replicas stored.
const POLL: Duration = Duration::from_secs(1);

/// Turns password reset requests into mails, one after the other.
pub struct ResetWorker {
    app: App,
}

impl ResetWorker {
    /// A worker that has not polled yet.
    pub fn new(app: &App) -> Self {
        Self { app: app.clone() }
    }
}

impl Worker for ResetWorker {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let mut tx = self.app.db.begin().await?;
        let Some(request) = ResetRequest::claim_next(&mut tx).await? else { return Ok(Outcome::Idle(POLL)) };
        if let Some(account) = Account::find_by_email(&mut *tx, &request.email).await? {
            signals::password_forgotten(&mut tx, &account, request.id).await?;
        }
        self.app.commit(tx).await?;
        Ok(Outcome::Busy)
    }
}

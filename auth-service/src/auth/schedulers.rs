//! Processes requests for a mail with a token: where the address has an account that the mail is for, it goes there.
use std::time::Duration;

use super::models::ResetRequest;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};
use crate::mails::signals;
use crate::tokens::Purpose;
use crate::users::address::EmailAddress;
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
        let address = EmailAddress::stored(&request.email);
        match request.purpose {
            Purpose::PasswordReset => {
                if let Some(account) = Account::find_by_address(&mut *tx, &address).await? {
                    signals::password_forgotten(&mut tx, &account, request.id).await?;
                }
            }
            Purpose::Activation => {
                for user in ResetRequest::list_unproved(&mut *tx, &address).await? {
                    signals::verification_requested(&mut tx, user, &request.email, request.id).await?;
                }
            }
            Purpose::Undo => {}
        }
        self.app.commit(tx).await?;
        Ok(Outcome::Busy)
    }
}

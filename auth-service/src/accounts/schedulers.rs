//! Brings addresses that an earlier version stored into today's form, and removes what has ended: changes and claims.
use std::time::Duration;

use uuid::Uuid;

use super::models::{AccountChange, SignUpClaim, convert_address, list_old_addresses};
use crate::core::app::App;
use crate::core::ground::jobs::Job;
use crate::core::ground::worker::{Outcome, Worker};
use crate::users::address::EmailAddress;

/// How long the worker waits before it goes through what was left over: an operator may have made room meanwhile.
const PAUSE: Duration = Duration::from_mins(10);
/// When changes and claims are removed: every hour.
const SWEEP: &str = "0 41 * * * *";

/// Brings the addresses of an earlier version into today's form, batch by batch. Two accounts whose addresses are the same
/// then are not merged: a verified one comes first, and the second one is reported and has no address by which it is found
/// until an operator decides.
pub struct AddressWorker {
    app: App,
    /// Whether this is the turn of verified accounts, or of the others.
    verified: bool,
    /// The last account of the batch before.
    after: Uuid,
    /// How many of this round are left over.
    left_over: u32,
}

impl AddressWorker {
    /// A worker that has not begun.
    pub fn new(app: &App) -> Self {
        Self { app: app.clone(), verified: true, after: Uuid::nil(), left_over: 0 }
    }
}

impl Worker for AddressWorker {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let accounts = list_old_addresses(&self.app.db, self.verified, self.after).await?;
        for account in &accounts {
            let converted = match EmailAddress::parse(&account.email) {
                Ok(address) => convert_address(&self.app.db, account.id, &address).await?,
                Err(_) => false,
            };
            if !converted {
                self.left_over += 1;
                tracing::warn!(account = %account.id, "an address is another account's in today's form, or is none");
            }
        }
        if let Some(last) = accounts.last() {
            self.after = last.id;
            return Ok(Outcome::Busy);
        }
        self.after = Uuid::nil();
        self.verified = !self.verified;
        if !self.verified {
            return Ok(Outcome::Busy);
        }
        metrics::gauge!("addresses_left_over").set(f64::from(self.left_over));
        self.left_over = 0;
        Ok(Outcome::Idle(PAUSE))
    }
}

/// The job that removes changes that cannot be taken back any more, and claims that cannot be accepted.
pub fn sweep(app: &App) -> Job {
    Job::new("account changes", SWEEP, app.db.clone(), |db| async move {
        AccountChange::sweep(&db).await?;
        Ok(SignUpClaim::sweep(&db).await?)
    })
}

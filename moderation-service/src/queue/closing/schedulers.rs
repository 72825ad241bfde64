//! The worker that follows the ledger.
use std::time::Duration;

use super::models::LedgerFollower;
use super::signals;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};

/// Entries of the ledger that are followed in one step.
const BATCH: i64 = 500;
/// How often entries are looked for that another replica's commit has written.
const POLL: Duration = Duration::from_millis(500);

/// Follows the ledger.
pub struct ReportCloser(pub App);

impl Worker for ReportCloser {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let mut tx = self.0.db.begin().await?;
        let Some(after) = LedgerFollower::lock(&mut tx).await? else { return Ok(Outcome::Idle(POLL)) };
        let Some((entries, last)) = LedgerFollower::read(&mut tx, after, BATCH).await? else {
            return Ok(Outcome::Idle(POLL));
        };
        let mut done = last;
        for entry in &entries {
            if signals::followed(&mut tx, entry).await? {
                // There may be more reports about this one: the next step goes on with it.
                done = entry.seq - 1;
                break;
            }
        }
        LedgerFollower::save(&mut tx, done).await?;
        self.0.commit(tx).await?;
        Ok(Outcome::Busy)
    }
}

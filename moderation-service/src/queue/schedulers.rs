//! What the queue does in the background: it follows the ledger, so that reports are closed by what was decided; it counts what
//! waits; and it deletes claims that have ended.
//!
//! Reports are closed here and not where decisions are made, because a subject may have thousands of reporters, each of whom gets
//! a notice, and a decision holds the lock of the ledger.
use std::time::Duration;

use chrono::Utc;

use super::models::{LedgerFollower, QueueLength, delete_ended_claims};
use super::signals;
use crate::core::app::App;
use crate::core::ground::jobs::Job;
use crate::core::ground::worker::{Outcome, Worker};

/// Entries of the ledger that are followed in one step.
const BATCH: i64 = 500;
/// How often entries are looked for that another replica's commit has written.
const POLL: Duration = Duration::from_millis(500);
/// How often the queue is counted.
const COUNT_INTERVAL: Duration = Duration::from_secs(30);
/// When ended claims are deleted: once an hour.
const SCHEDULE: &str = "0 17 * * * *";

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

/// Counts the queue.
pub struct QueueGauges(pub App);

impl Worker for QueueGauges {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let length = QueueLength::count(&self.0.db).await?;
        let age = length.oldest.map_or(0.0, |oldest| (Utc::now() - oldest.0).as_seconds_f64());
        #[expect(clippy::cast_precision_loss, reason = "a number of rows stays far below 2^52")]
        for (state, items) in [("open", length.open), ("escalated", length.escalated), ("claimed", length.claimed)] {
            metrics::gauge!("moderation_queue_items", "state" => state).set(items as f64);
        }
        metrics::gauge!("moderation_queue_age_seconds").set(age.max(0.0));
        Ok(Outcome::Idle(COUNT_INTERVAL))
    }
}

/// The job that deletes ended claims.
pub fn job(app: &App) -> Job {
    Job::new("claims", SCHEDULE, app.db.clone(), |db| async move { Ok(delete_ended_claims(&db).await?) })
}

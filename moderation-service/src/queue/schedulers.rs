//! What the queue does in the background: it counts what waits, and deletes claims that have ended and requests that are done.
use std::time::Duration;

use chrono::Utc;

use super::bulk::models::delete_old_requests;
use super::models::{QueueLength, delete_ended_claims};
use crate::appeals::models as appeals;
use crate::core::app::App;
use crate::core::ground::jobs::Job;
use crate::core::ground::worker::{Outcome, Worker};

/// How often the queue is counted.
const COUNT_INTERVAL: Duration = Duration::from_secs(30);
/// When ended claims and old requests are deleted: once an hour.
const SCHEDULE: &str = "0 17 * * * *";

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

/// The job that deletes ended claims and old requests.
pub fn job(app: &App) -> Job {
    Job::new("claims", SCHEDULE, app.db.clone(), |db| async move {
        delete_ended_claims(&db).await?;
        appeals::delete_ended_claims(&db).await?;
        Ok(delete_old_requests(&db).await?)
    })
}

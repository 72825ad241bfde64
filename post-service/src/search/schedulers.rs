//! Indexes the posts that were there before search, and deletes what is indexed no more: in batches with pauses, so that requests hardly notice, and from where it
//! was when the service stopped. Replicas take turns at one row.
use std::time::Duration;

use super::models::{Backfill, delete_tag_keys, list_missing};
use super::signals;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};

/// Posts of a batch: their rows are locked for some hundred milliseconds.
const BATCH: i64 = 100;
/// Keys of tags, of the time when they were kept twice, that are deleted in a batch.
const OLD_KEYS: i64 = 2_000;
/// The pause between batches.
const PACE: Duration = Duration::from_millis(100);
/// The pause when all is done. A replica that has read so rests until it is restarted, nearly.
const REST: Duration = Duration::from_hours(1);

/// Indexes the posts that were there before search.
pub struct SearchBackfill(pub App);

impl Worker for SearchBackfill {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let mut tx = self.0.db.begin().await?;
        let Some(backfill) = Backfill::claim(&mut tx).await? else { return Ok(Outcome::Idle(PACE)) };
        if backfill.done_at.is_some() {
            let deleted = delete_tag_keys(&mut tx, OLD_KEYS).await?;
            tx.commit().await?;
            return Ok(Outcome::Idle(if deleted == 0 { REST } else { PACE }));
        }
        let ids = backfill.lock_next(&mut tx, BATCH).await?;
        let missing = list_missing(&mut tx, &ids).await?;
        for post in &missing {
            signals::changed(&mut tx, post).await?;
        }
        Backfill::save(&mut tx, ids.last().copied()).await?;
        tx.commit().await?;
        metrics::counter!("search_backfilled_total").increment(missing.len() as u64);
        Ok(Outcome::Idle(if ids.is_empty() { REST } else { PACE }))
    }
}

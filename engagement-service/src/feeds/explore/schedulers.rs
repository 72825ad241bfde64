//! Makes the editions of explore.
use std::time::Duration;

use super::models::Edition;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};

/// How often an edition is made.
const INTERVAL: Duration = Duration::from_mins(1);
/// The newest posts that are ranked.
const RANKED: i64 = 10_000;
/// Posts of an edition: five pages of the largest size.
const PLACES: i64 = 1_000;

/// Makes an edition each minute, on one of the replicas.
pub struct EditionWorker(pub App);

impl Worker for EditionWorker {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let mut tx = self.0.db.begin().await?;
        // A little less than the interval, so that the next round is not too early for it.
        Edition::create(&mut tx, RANKED, PLACES, INTERVAL.as_secs_f64() - 1.0).await?;
        tx.commit().await?;
        Ok(Outcome::Idle(INTERVAL))
    }
}

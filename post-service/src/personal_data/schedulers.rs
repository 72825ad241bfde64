//! The worker that confirms erasures.
use std::time::Duration;

use super::signals::confirm_finished;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};

/// How often it is looked which erasures are finished.
const POLL: Duration = Duration::from_secs(1);

/// Confirms erasures once the files are deleted, too: while the store is away none is confirmed whose files it has.
pub struct ErasureConfirmer(pub App);

impl Worker for ErasureConfirmer {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let mut tx = self.0.db.begin().await?;
        if confirm_finished(&mut tx).await? == 0 {
            return Ok(Outcome::Idle(POLL));
        }
        self.0.commit(tx).await?;
        Ok(Outcome::Busy)
    }
}

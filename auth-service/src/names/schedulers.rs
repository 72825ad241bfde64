//! Folds names that no request has folded: those of before the search had folded names, of an older version of the folding,
//! and those that were written past the service.
use std::time::Duration;

use sqlx::PgPool;

use super::models;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};

/// People of one step, so that none holds its locks for long: some 50 ms.
const BATCH: i64 = 500;
/// How often it looks; one look is one step into an index.
const POLL: Duration = Duration::from_secs(10);

/// Keeps what people are found by up to date.
pub struct NameFolder {
    db: PgPool,
}

impl NameFolder {
    /// The folder of a service.
    pub fn new(app: &App) -> Self {
        Self { db: app.db.clone() }
    }
}

impl Worker for NameFolder {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let mut tx = self.db.begin().await?;
        let stale = models::lock_stale(&mut *tx, BATCH).await?;
        if stale.is_empty() {
            return Ok(Outcome::Idle(POLL));
        }
        models::refold(&mut tx, &stale).await?;
        tx.commit().await?;
        Ok(Outcome::Busy)
    }
}

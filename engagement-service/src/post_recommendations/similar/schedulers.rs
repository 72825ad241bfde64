//! The pass over the posts that finds similar ones: begun by the calendar, worked off a few posts at a time, with the place kept.
use std::time::{Duration, Instant};

use chrono::Utc;
use sqlx::{Connection, PgTransaction};
use uuid::Uuid;

use super::models::{SimilarPass, SimilarPosts};
use crate::batches::BatchSize;
use crate::core::app::App;
use crate::core::ground::jobs::Job;
use crate::core::ground::worker::{Outcome, Worker};
use crate::post_recommendations::window::oldest_key;

/// Posts of a step, fewer after one that failed: some 40 ms where people did 20 things each, and at most 500,000 rows, a second or two.
const STEP: i64 = 50;
/// How often a replica looks for a pass that another one has begun.
const POLL: Duration = Duration::from_secs(5);

/// The job that lets a pass begin.
pub fn job(app: &App, schedule: String) -> Job {
    Job::new("similar_posts", schedule, app.clone(), |app| async move {
        let mut tx = app.db.begin().await?;
        SimilarPass::begin(&mut tx).await?;
        Ok(app.commit(tx).await?)
    })
}

/// Works the pass off.
pub struct SimilarPostFinder {
    app: App,
    batch: BatchSize,
}

impl SimilarPostFinder {
    /// Begins with whole batches.
    pub fn new(app: &App) -> Self {
        Self { app: app.clone(), batch: BatchSize::new(STEP) }
    }

    /// Finds the similar posts of posts; how many these are. Where that fails, the next batch is smaller, and one post alone is skipped.
    async fn find(&mut self, tx: &mut PgTransaction<'_>, keys: &[Uuid], since: Uuid) -> sqlx::Result<usize> {
        // A savepoint: the pass stays locked, so that what is skipped is what failed.
        let mut savepoint = Connection::begin(&mut **tx).await?;
        let done = SimilarPosts::find(&mut savepoint, keys, since).await;
        let Err(error) = done else {
            savepoint.commit().await?;
            self.batch.grow();
            return Ok(keys.len());
        };
        let is_alone = self.batch.shrink(keys.len());
        savepoint.rollback().await?;
        if !is_alone {
            return Err(error);
        }
        tracing::warn!(feed_keys = ?keys, %error, "a post was skipped, since its similar posts could not be found");
        self.batch.grow();
        Ok(0)
    }
}

impl Worker for SimilarPostFinder {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let begun = Instant::now();
        let mut tx = self.app.db.begin().await?;
        let Some(pass) = SimilarPass::lock(&mut tx).await? else { return Ok(Outcome::Idle(POLL)) };
        let since = oldest_key(Utc::now());
        let keys = pass.list_posts(&mut *tx, since, self.batch.rows()).await?;
        let found = self.find(&mut tx, &keys, since).await?;
        pass.save_progress(&mut tx, i64::try_from(keys.len())?, keys.last().copied()).await?;
        tx.commit().await?;
        metrics::counter!("similar_posts_total").increment(u64::try_from(found)?);
        // Half of a core at most, which leaves the other half to who waits for an answer.
        Ok(if keys.is_empty() { Outcome::Idle(POLL) } else { Outcome::Idle(begun.elapsed()) })
    }
}

//! The pass over the posts that finds similar ones: begun by the calendar, worked off a few posts at a time, with the place kept.
use std::time::{Duration, Instant};

use chrono::Utc;

use super::models::{SimilarPass, SimilarPosts};
use crate::core::app::App;
use crate::core::ground::jobs::Job;
use crate::core::ground::worker::{Outcome, Worker};
use crate::post_recommendations::window::oldest_key;

/// Posts of a step: at most a few 100,000 rows are walked, which stays below a second.
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
pub struct SimilarPostFinder(pub App);

impl Worker for SimilarPostFinder {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let begun = Instant::now();
        let mut tx = self.0.db.begin().await?;
        let Some(pass) = SimilarPass::lock(&mut tx).await? else { return Ok(Outcome::Idle(POLL)) };
        let since = oldest_key(Utc::now());
        let keys = pass.list_posts(&mut *tx, since, STEP).await?;
        SimilarPosts::find(&mut tx, &keys, since).await?;
        pass.save_progress(&mut tx, i64::try_from(keys.len())?, keys.last().copied()).await?;
        tx.commit().await?;
        metrics::counter!("similar_posts_total").increment(u64::try_from(keys.len())?);
        // Half of a core at most, which leaves the other half to who waits for an answer.
        Ok(if keys.is_empty() { Outcome::Idle(POLL) } else { Outcome::Idle(begun.elapsed()) })
    }
}

//! The background work of recommended people: who was just active, and everyone in turn.
//!
//! A cron job begins a run. A worker takes it a batch at a time; the last person that was done is in the row of the run, so a
//! run goes on after a crash where it was. After a batch the worker rests three times as long as the batch took: a run
//! takes a quarter of one core at most. People who were just active come first, a batch between two of the run. A batch that fails is tried
//! again in halves, and one person alone who fails is skipped.
//!
//! The same worker withdraws notifications of people who were banned: their events put them into a queue of its own.
use std::time::{Duration, Instant};

use sqlx::{Connection, PgTransaction};
use uuid::Uuid;

use super::models::RecommendationRun;
use super::queues::models::{RecommendationDue, RecommendationReview};
use super::signals;
use crate::batches::BatchSize;
use crate::core::app::App;
use crate::core::ground::jobs::Job;
use crate::core::ground::worker::{Outcome, Worker};
use crate::post_recommendations::digest::models::DigestRound;

/// People that are computed in one transaction, fewer after one that failed; it takes some 200 ms.
const BATCH: i64 = 200;
/// People whose notifications one step looks at.
const REVIEWED: i64 = 20;
/// How many times as long as a batch took the worker rests after it.
const REST: u32 = 3;
/// The longest rest: a batch that waited for a lock is no reason to rest for long.
const MAX_REST: Duration = Duration::from_secs(5);
/// How often the worker looks for work.
const POLL: Duration = Duration::from_secs(5);

/// The job that begins a run.
pub fn job(app: &App, schedule: String) -> Job {
    Job::new(
        "recommended_people",
        schedule,
        app.clone(),
        |app| async move { Ok(RecommendationRun::begin(&app.db).await?) },
    )
}

/// Computes lists.
pub struct PeopleRecommender {
    app: App,
    /// Batches of people who were just active.
    due: BatchSize,
    /// Batches of the run.
    run: BatchSize,
}

impl PeopleRecommender {
    /// Begins with whole batches.
    pub fn new(app: &App) -> Self {
        Self { app: app.clone(), due: BatchSize::new(BATCH), run: BatchSize::new(BATCH) }
    }

    /// Computes the lists of people who were just active; how many they are.
    pub async fn refresh_due(&mut self) -> anyhow::Result<usize> {
        let mut tx = self.app.db.begin().await?;
        let people = RecommendationDue::take(&mut tx, self.due.rows()).await?;
        if people.is_empty() {
            // A commit would wake all workers that wait for one.
            return Ok(0);
        }
        let computed = compute(&mut tx, &mut self.due, &people, true).await?;
        self.app.commit(tx).await?;
        count("activity", computed);
        Ok(people.len())
    }

    /// Computes the next lists of the run that is under way; false when there is none, or another replica has it at hand.
    pub async fn advance_run(&mut self) -> anyhow::Result<bool> {
        let begun = Instant::now();
        let mut tx = self.app.db.begin().await?;
        let Some(run) = RecommendationRun::lock(&mut tx).await? else { return Ok(false) };
        let people = run.list_people(&mut tx, self.run.rows()).await?;
        let computed = compute(&mut tx, &mut self.run, &people, false).await?;
        RecommendationRun::save(&mut tx, people.last().copied(), begun.elapsed()).await?;
        self.app.commit(tx).await?;
        count("run", computed);
        Ok(true)
    }

    /// Looks at the notifications of people whose account changed; how many people they are. Not beside a step of the weekly digest: what
    /// that one writes is not seen yet, and could name a person who was banned meanwhile.
    pub async fn review(&self) -> anyhow::Result<usize> {
        let mut tx = self.app.db.begin().await?;
        let people = RecommendationReview::take(&mut tx, REVIEWED).await?;
        if people.is_empty() || !DigestRound::try_lock(&mut tx).await? {
            tx.rollback().await?;
            return Ok(0);
        }
        signals::review(&mut tx, &people).await?;
        self.app.commit(tx).await?;
        Ok(people.len())
    }
}

/// Computes the lists of a batch, and `all` of its affinities or those that are stale; how many lists these are. Where that fails, the next
/// batch is smaller, and one person alone is skipped.
async fn compute(tx: &mut PgTransaction<'_>, batch: &mut BatchSize, people: &[Uuid], all: bool) -> sqlx::Result<usize> {
    // A savepoint: the people stay locked, so that who is skipped is who failed.
    let mut savepoint = Connection::begin(&mut **tx).await?;
    let done = signals::refresh(&mut savepoint, people, all).await;
    let Err(error) = done else {
        savepoint.commit().await?;
        batch.grow();
        return Ok(people.len());
    };
    let is_alone = batch.shrink(people.len());
    savepoint.rollback().await?;
    if !is_alone {
        return Err(error);
    }
    tracing::warn!(?people, %error, "a person was skipped, since the people for them could not be computed");
    batch.grow();
    Ok(0)
}

fn count(cause: &'static str, people: usize) {
    metrics::counter!("people_recommendations_computed_total", "cause" => cause)
        .increment(u64::try_from(people).unwrap_or(u64::MAX));
}

impl Worker for PeopleRecommender {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let begun = Instant::now();
        let active = self.refresh_due().await?;
        let has_run = self.advance_run().await?;
        let reviewed = self.review().await?;
        if active == 0 && !has_run && reviewed == 0 {
            return Ok(Outcome::Idle(POLL));
        }
        Ok(Outcome::Idle((begun.elapsed() * REST).min(MAX_REST)))
    }
}

//! The background work of recommended people: who was just active, and everyone in turn.
//!
//! A cron job begins a run. A worker takes it a batch at a time; the last person that was done is in the row of the run, so a
//! run goes on after a crash where it was. After a batch the worker rests three times as long as the batch took: a run
//! takes a quarter of one core at most. People who were just active come first, a batch between two of the run.
use std::time::{Duration, Instant};

use super::models::{RecommendationDue, RecommendationRun};
use super::signals;
use crate::core::app::App;
use crate::core::ground::jobs::Job;
use crate::core::ground::worker::{Outcome, Worker};

/// People that are computed in one transaction, which takes some 200 ms.
const BATCH: i64 = 200;
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
pub struct PeopleRecommender(pub App);

impl PeopleRecommender {
    /// Computes the lists of people who were just active; how many they are.
    pub async fn refresh_due(&self) -> anyhow::Result<usize> {
        let mut tx = self.0.db.begin().await?;
        let people = RecommendationDue::take(&mut tx, BATCH).await?;
        signals::refresh(&mut tx, &people, true).await?;
        self.0.commit(tx).await?;
        count("activity", people.len());
        Ok(people.len())
    }

    /// Computes the next lists of the run that is under way; false when there is none, or another replica has it at hand.
    pub async fn advance_run(&self) -> anyhow::Result<bool> {
        let begun = Instant::now();
        let mut tx = self.0.db.begin().await?;
        let Some(run) = RecommendationRun::lock(&mut tx).await? else { return Ok(false) };
        let people = run.list_people(&mut tx, BATCH).await?;
        signals::refresh(&mut tx, &people, false).await?;
        signals::refreshed(&mut tx, &people).await?;
        RecommendationRun::save(&mut tx, people.last().copied(), begun.elapsed()).await?;
        self.0.commit(tx).await?;
        count("run", people.len());
        Ok(true)
    }
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
        if active == 0 && !has_run {
            return Ok(Outcome::Idle(POLL));
        }
        Ok(Outcome::Idle((begun.elapsed() * REST).min(MAX_REST)))
    }
}

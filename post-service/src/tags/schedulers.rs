//! The background work of tags: trends once a minute, and the tags of posts that were written before there were any.
use std::time::Duration;

use chrono::Utc;

use super::models::{PostTag, TagBackfill, TagUse, Trend};
use super::services::{HALF_LIFE, LEAST_AUTHORS, post_tags, trends};
use crate::core::app::App;
use crate::core::contract::timestamp::Timestamp;
use crate::core::ground::jobs::Job;
use crate::core::ground::worker::{Outcome, Worker};

/// When trends are calculated: once a minute, away from its beginning.
const SCHEDULE: &str = "35 * * * * *";
/// Posts that one step of the backfill reads: of the longest, eight megabytes.
const POSTS: i64 = 200;
/// The pause between two of its steps, so that it takes a small part of the database's time.
const PACE: Duration = Duration::from_millis(100);
/// How often it is looked at again when all posts are done, or another replica is at them.
const REST: Duration = Duration::from_mins(10);

/// The job that calculates trends.
pub fn job(app: &App) -> Job {
    Job::new("trends", SCHEDULE, app.clone(), |app| async move { calculate(&app, Timestamp(Utc::now())).await })
}

/// Calculates the trends of a moment.
pub async fn calculate(app: &App, now: Timestamp) -> anyhow::Result<()> {
    let uses = TagUse::list(&app.db, now, LEAST_AUTHORS, HALF_LIFE).await?;
    let mut tx = app.db.begin().await?;
    Trend::replace(&mut tx, &trends(uses)).await?;
    app.commit(tx).await?;
    Ok(())
}

/// Reads the tags of older posts.
pub struct TagBackfiller(pub App);

impl Worker for TagBackfiller {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let mut tx = self.0.db.begin().await?;
        let Some(posts) = TagBackfill::take(&mut tx, POSTS).await? else { return Ok(Outcome::Idle(REST)) };
        let tags: Vec<PostTag> = posts.iter().flat_map(|post| post_tags(post.id, &post.content)).collect();
        let ids: Vec<_> = posts.iter().map(|post| post.id).collect();
        PostTag::save(&mut tx, &ids, &tags).await?;
        TagBackfill::advance(&mut tx, ids.last().copied()).await?;
        self.0.commit(tx).await?;
        Ok(Outcome::Idle(PACE))
    }
}

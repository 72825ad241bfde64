//! The worker that lists older posts.
use std::time::Duration;

use super::models::ListingBackfill;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};

/// Posts of a step: a change of one of them waits for a few milliseconds.
const POSTS: i64 = 200;
/// The pause between two steps, so that they take a small part of the database's time.
const PACE: Duration = Duration::from_millis(100);
/// How often it is looked at again when all posts are done, or another replica is at them.
const REST: Duration = Duration::from_mins(10);

/// Lists older posts, and goes on where it was when the service stopped.
pub struct ListingBackfiller(pub App);

impl Worker for ListingBackfiller {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let mut tx = self.0.db.begin().await?;
        let Some(posts) = ListingBackfill::take(&mut tx, POSTS).await? else { return Ok(Outcome::Idle(REST)) };
        ListingBackfill::save(&mut tx, &posts).await?;
        ListingBackfill::advance(&mut tx, posts.last().copied()).await?;
        tx.commit().await?;
        Ok(Outcome::Idle(PACE))
    }
}

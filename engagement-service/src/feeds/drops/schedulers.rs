//! The worker that drops all feeds when their Redis is not the one that it was: one that was restarted may have lost its last second,
//! and one that took over what had not been replicated. Neither can be seen in a feed, which would lack a post for good.
use std::time::Duration;

use super::models::FeedDrop;
use crate::core::ground::worker::{Outcome, Worker};
use crate::feeds::Feeds;

/// How often Redis is asked who it is.
const POLL: Duration = Duration::from_millis(500);

/// Watches the Redis of the feeds.
pub struct RedisWatch {
    feeds: Feeds,
    /// Its run, as it was seen last.
    run: Option<String>,
}

impl RedisWatch {
    /// A watch that has seen nothing yet.
    pub fn new(feeds: Feeds) -> Self {
        Self { feeds, run: None }
    }
}

impl Worker for RedisWatch {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let Feeds { app, cache, .. } = &self.feeds;
        let run = cache.run_id().await?;
        if self.run.as_ref() != Some(&run) {
            let mut tx = app.db.begin().await?;
            if FeedDrop::save_run(&mut tx, &run).await? {
                tracing::warn!("the Redis of the feeds is another one, or was restarted; all feeds are built anew");
                FeedDrop::create_for_all(&mut tx).await?;
            }
            app.commit(tx).await?;
            self.run = Some(run);
        }
        Ok(Outcome::Idle(POLL))
    }
}

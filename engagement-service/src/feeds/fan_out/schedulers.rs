//! The workers of feeds: one that drops feeds and brings posts into them, one that counts what waits.
use std::time::Duration;

use chrono::Utc;
use uuid::Uuid;

use super::models::{Audience, FanOut, FeedBacklog};
use crate::core::ground::worker::{Outcome, Worker};
use crate::feeds::Feeds;
use crate::feeds::drops::models::{FeedDrop, FullDrop};

/// Followers whose feeds get a post in one step.
pub const PAGE: i64 = 1_000;
/// Feeds that are dropped in one step, and as many once more where all are.
pub const DROPS: i64 = 500;
/// How long a worker has for a page, in seconds; then it counts as dead.
pub const CLAIM: f64 = 10.0;
/// How often jobs are looked for that another replica's commit has written.
const POLL: Duration = Duration::from_millis(500);
/// How often what waits is counted.
const COUNT_INTERVAL: Duration = Duration::from_secs(5);

/// Works off the jobs of feeds.
pub struct FeedWorker(pub Feeds);

impl Worker for FeedWorker {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let Feeds { app, cache, .. } = &self.0;
        // They come first: a reader waits for the effect of what they have just done.
        let drops = FeedDrop::list(&app.db, DROPS).await?;
        if !drops.is_empty() {
            let readers: Vec<Uuid> = drops.iter().map(|drop| drop.user_id).collect();
            cache.drop_feeds(&readers).await?;
            FeedDrop::finish(&app.db, &drops).await?;
        }
        let drops_all = self.drop_page_of_all().await?;
        // However many feeds are dropped, as after a restart of Redis, posts go on into the others.
        let Some(job) = FanOut::claim(&app.db, CLAIM).await? else {
            return Ok(if drops.is_empty() && !drops_all { Outcome::Idle(POLL) } else { Outcome::Busy });
        };
        let done = self.work_page(&job).await;
        if done.is_err() {
            job.release(&app.db).await?;
        }
        done?;
        Ok(Outcome::Busy)
    }
}

impl FeedWorker {
    /// Carries the order to drop all feeds on by one page; false when there is none. Of two workers at one page both drop the same.
    async fn drop_page_of_all(&self) -> anyhow::Result<bool> {
        let Feeds { app, cache, .. } = &self.0;
        let Some(order) = FullDrop::find(&app.db).await? else { return Ok(false) };
        let readers = order.list_readers(&app.db, DROPS).await?;
        if !readers.is_empty() {
            cache.drop_feeds(&readers).await?;
        }
        match readers.last() {
            Some(last) if i64::try_from(readers.len())? == DROPS => order.advance(&app.db, *last).await?,
            _ => order.finish(&app.db).await?,
        }
        Ok(true)
    }

    /// Carries a job on by one page.
    async fn work_page(&self, job: &FanOut) -> anyhow::Result<()> {
        let Feeds { app, cache, .. } = &self.0;
        let is_first = job.done_to.is_nil();
        if is_first && self.sort_followers(job).await? {
            return Ok(job.release(&app.db).await?);
        }
        let followers = job.list_followers(&app.db, PAGE).await?;
        let readers: Vec<Uuid> =
            is_first.then_some(job.author_id).into_iter().chain(followers.iter().copied()).collect();
        cache.spread(&readers, job.enters, &job.leaves).await?;
        if is_first && job.enters.is_some() && job.is_looked_up(&app.db).await? {
            cache.announce(job.post_id).await;
        }
        match followers.last() {
            Some(last) if i64::try_from(followers.len())? == PAGE => job.advance(&app.db, *last).await?,
            _ => job.finish(&app.db).await?,
        }
        Ok(())
    }

    /// Brings some followers of the author to the side, of those with copies or of those who look up, that the number of all asks
    /// for; false when all are there.
    async fn sort_followers(&self, job: &FanOut) -> anyhow::Result<bool> {
        let big = self.0.settings.feed_big_author;
        let mut tx = self.0.app.db.begin().await?;
        let changed = if Audience::measure(&mut tx, job.author_id, big, big - big / 10).await? {
            Audience::pull(&mut tx, job.author_id, PAGE).await? > 0
        } else {
            let readers = Audience::push(&mut tx, job.author_id, PAGE).await?;
            FeedDrop::create(&mut tx, &readers).await?;
            !readers.is_empty()
        };
        tx.commit().await?;
        Ok(changed)
    }
}

/// Counts what waits for [`FeedWorker`].
pub struct FeedBacklogGauges(pub Feeds);

impl Worker for FeedBacklogGauges {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let backlog = FeedBacklog::count(&self.0.app.db).await?;
        let age = backlog.oldest.map_or(0.0, |oldest| (Utc::now() - oldest.0).as_seconds_f64());
        #[expect(clippy::cast_precision_loss, reason = "a number of rows stays far below 2^52")]
        metrics::gauge!("feed_jobs_waiting").set(backlog.waiting as f64);
        metrics::gauge!("feed_jobs_age_seconds").set(age.max(0.0));
        Ok(Outcome::Idle(COUNT_INTERVAL))
    }
}

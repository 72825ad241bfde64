//! The worker that indexes posts, the one that measures what waits, and the one that lets the posts from before search be indexed.
use std::time::Duration;

use uuid::Uuid;

use super::media_backfill::models::MediaBackfill;
use super::models::{Backfill, delete_documents, delete_tag_keys, save_documents};
use super::pending::models::{Pending, delete_gone, enqueue_missing, finish, lock_pending, postpone};
use super::services::document;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};
use crate::posts::models::Post;

/// Posts of a batch: those that are indexed are locked for some hundred milliseconds at most.
const BATCH: i64 = 100;
/// How often it is looked whether posts wait that another process has written.
const POLL: Duration = Duration::from_secs(1);
/// How often what waits is measured.
const COUNT_INTERVAL: Duration = Duration::from_secs(15);
/// Keys of tags, of the time when they were kept twice, that are deleted in a batch.
const OLD_KEYS: i64 = 2_000;
/// The pause between batches of the backfill, and before posts that are being changed are tried again.
const PACE: Duration = Duration::from_millis(100);
/// The pause when all is done. A replica that has read so rests until it is restarted, nearly.
const REST: Duration = Duration::from_hours(1);

/// Writes the documents of posts that wait for them, those first that wait longest. Replicas do not wait for each other: what one has
/// locked, the others leave alone.
pub struct PostIndexer {
    app: App,
    /// How many posts are tried at once: after a failure one, and then twice as many each time.
    batch: i64,
    /// The first post of the last batch.
    first: Option<Uuid>,
}

impl PostIndexer {
    pub fn new(app: &App) -> Self {
        Self { app: app.clone(), batch: BATCH, first: None }
    }

    /// Indexes a batch; how many posts it had.
    async fn index(&mut self) -> anyhow::Result<usize> {
        let mut tx = self.app.db.begin().await?;
        // A change of one of them waits for the lock, and then lets the post wait for its document again.
        let posts = lock_pending(&mut tx, self.batch).await?;
        self.first = posts.first().map(|post| post.id);
        let (public, private): (Vec<Post>, Vec<Post>) = posts.into_iter().partition(Post::is_public);
        let [public_ids, private_ids] =
            [&public, &private].map(|posts| posts.iter().map(|post| post.id).collect::<Vec<Uuid>>());
        delete_documents(&mut tx, &private_ids).await?;
        finish(&mut tx, &private_ids).await?;
        save_documents(&mut tx, &public.iter().map(document).collect::<Vec<_>>()).await?;
        let waited = finish(&mut tx, &public_ids).await?;
        tx.commit().await?;
        for seconds in waited {
            metrics::histogram!("search_indexing_seconds").record(seconds);
        }
        Ok(public.len() + private.len())
    }
}

impl Worker for PostIndexer {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        if Pending::count(&self.app.db, 1).await?.posts == 0 {
            return Ok(Outcome::Idle(POLL));
        }
        match self.index().await {
            Ok(0) => {
                let gone = delete_gone(&self.app.db, BATCH).await?;
                Ok(if gone == 0 { Outcome::Idle(PACE) } else { Outcome::Busy })
            }
            Ok(_) => {
                self.batch = BATCH.min(self.batch * 2);
                Ok(Outcome::Busy)
            }
            // One post of them may be the cause: each is tried alone, and what fails alone keeps no other from being found.
            Err(cause) if self.batch == 1 => {
                let Some(post) = self.first else { return Err(cause) };
                postpone(&self.app.db, post).await?;
                Err(cause.context(format!("post {post} cannot be indexed, and is tried again behind all others")))
            }
            Err(cause) => {
                self.batch = 1;
                Err(cause)
            }
        }
    }
}

/// Measures what waits for [`PostIndexer`].
pub struct SearchGauges(pub App);

impl Worker for SearchGauges {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let first = Pending::count(&self.0.db, 1).await?;
        metrics::gauge!("search_pending_age_seconds").set(first.age.max(0.0));
        Ok(Outcome::Idle(COUNT_INTERVAL))
    }
}

/// Lets the posts that were there before search be indexed, notes pictures in the documents from before they were, and deletes what is
/// indexed no more: in batches with pauses, so that requests
/// hardly notice, and from where it was when the service stopped. Replicas take turns at one row.
pub struct SearchBackfill(pub App);

impl Worker for SearchBackfill {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let mut tx = self.0.db.begin().await?;
        let Some(backfill) = Backfill::claim(&mut tx).await? else { return Ok(Outcome::Idle(PACE)) };
        if !MediaBackfill::is_done(&mut tx).await? {
            let posts = MediaBackfill::list_next(&mut tx, BATCH).await?;
            MediaBackfill::save(&mut tx, &posts).await?;
            tx.commit().await?;
            return Ok(Outcome::Idle(PACE));
        }
        if backfill.done_at.is_some() {
            let deleted = delete_tag_keys(&mut tx, OLD_KEYS).await?;
            tx.commit().await?;
            return Ok(Outcome::Idle(if deleted == 0 { REST } else { PACE }));
        }
        if Pending::count(&mut *tx, BATCH).await?.posts == BATCH {
            // New posts do not wait behind older ones.
            return Ok(Outcome::Idle(PACE));
        }
        let ids = backfill.list_next(&mut tx, BATCH).await?;
        let missing = enqueue_missing(&mut tx, &ids).await?;
        Backfill::save(&mut tx, ids.last().copied()).await?;
        tx.commit().await?;
        metrics::counter!("search_backfilled_total").increment(missing);
        Ok(Outcome::Idle(if ids.is_empty() { REST } else { PACE }))
    }
}

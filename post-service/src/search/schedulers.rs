//! The worker that indexes posts, and the one that lets those from before search be indexed.
use std::time::Duration;

use uuid::Uuid;

use super::models::{
    Backfill, delete_documents, delete_tag_keys, enqueue_missing, finish, list_pending, lock_posts, save_documents,
};
use super::services::document;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};
use crate::posts::models::Post;

/// Posts of a batch, by either worker: their rows are locked for some hundred milliseconds.
const BATCH: i64 = 100;
/// How often it is looked whether posts wait that another process has written.
const POLL: Duration = Duration::from_secs(1);
/// Keys of tags, of the time when they were kept twice, that are deleted in a batch.
const OLD_KEYS: i64 = 2_000;
/// The pause between batches of the backfill, and before posts that are being changed are tried again.
const PACE: Duration = Duration::from_millis(100);
/// The pause when all is done. A replica that has read so rests until it is restarted, nearly.
const REST: Duration = Duration::from_hours(1);

/// Writes the documents of posts that wait for them. Replicas do not wait for each other: what one has locked, the others leave alone.
pub struct PostIndexer(pub App);

impl Worker for PostIndexer {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let pending = list_pending(&self.0.db, BATCH).await?;
        if pending.is_empty() {
            return Ok(Outcome::Idle(POLL));
        }
        let mut tx = self.0.db.begin().await?;
        // A change of one of them waits for the lock, and then lets the post wait for its document again.
        let locked = lock_posts(&mut tx, &pending).await?;
        let (public, private): (Vec<Post>, Vec<Post>) = locked.into_iter().partition(Post::is_public);
        let private: Vec<Uuid> = private.iter().map(|post| post.id).collect();
        delete_documents(&mut tx, &private).await?;
        save_documents(&mut tx, &public.iter().map(document).collect::<Vec<_>>()).await?;
        let done: Vec<Uuid> = public.iter().map(|post| post.id).chain(private).collect();
        let waited = finish(&mut tx, &pending, &done).await?;
        tx.commit().await?;
        for seconds in &waited {
            metrics::histogram!("search_indexing_seconds").record(*seconds);
        }
        Ok(if waited.is_empty() { Outcome::Idle(PACE) } else { Outcome::Busy })
    }
}

/// Lets the posts that were there before search be indexed, and deletes what is indexed no more: in batches with pauses, so that requests
/// hardly notice, and from where it was when the service stopped. Replicas take turns at one row.
pub struct SearchBackfill(pub App);

impl Worker for SearchBackfill {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let mut tx = self.0.db.begin().await?;
        let Some(backfill) = Backfill::claim(&mut tx).await? else { return Ok(Outcome::Idle(PACE)) };
        if backfill.done_at.is_some() {
            let deleted = delete_tag_keys(&mut tx, OLD_KEYS).await?;
            tx.commit().await?;
            return Ok(Outcome::Idle(if deleted == 0 { REST } else { PACE }));
        }
        let ids = backfill.list_next(&mut tx, BATCH).await?;
        let missing = enqueue_missing(&mut tx, &ids).await?;
        Backfill::save(&mut tx, ids.last().copied()).await?;
        tx.commit().await?;
        metrics::counter!("search_backfilled_total").increment(missing);
        Ok(Outcome::Idle(if ids.is_empty() { REST } else { PACE }))
    }
}

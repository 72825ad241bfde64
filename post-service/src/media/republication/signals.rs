//! What a page of a republication does, in one transaction.
use sqlx::PgTransaction;

use super::models::Republication;
use crate::posts::events::producers::posts_updated;
use crate::posts::models::Post;
use crate::posts::shown;

/// Posts of a page: together they are four megabytes of events at most.
const PAGE: i64 = 100;

/// Publishes a page of posts with the pictures that they show now; how many they were. The job's own row is changed last, so that nothing
/// that waits for it is waited for here.
pub async fn page(tx: &mut PgTransaction<'_>, job: &Republication) -> sqlx::Result<usize> {
    let posts = job.list_posts(tx, PAGE).await?;
    Post::lock(tx, &posts).await?;
    job.detach_deleted(tx, &posts).await?;
    let renewed = Post::renew(tx, &posts).await?;
    let shown = shown::all_as_published(tx, renewed).await?;
    posts_updated(tx, &shown).await?;
    match posts.last() {
        Some(last) if i64::try_from(posts.len()).is_ok_and(|posts| posts == PAGE) => job.advance(tx, *last).await?,
        _ => job.finish(tx).await?,
    }
    Ok(shown.len())
}

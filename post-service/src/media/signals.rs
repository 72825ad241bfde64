//! What follows from a change of a picture, in the same transaction: posts that show it are published again, profiles lose it, its
//! end is published, and its files are marked for the sweep.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::attachments::models::{delete_of_posts, list_posts};
use super::blobs::models::Blob;
use super::events::producers::media_deleted;
use super::models::Media;
use super::{pictures, uploads};
use crate::posts::events::producers::post_updated;
use crate::posts::models::Post;
use crate::posts::shown;

/// Pictures deleted in one statement when their owner's data is erased.
const BATCH: i64 = 100;

/// Locks the posts that show pictures, and returns them. A transaction that changes pictures does this first, as one that changes
/// a post locks the post and then its pictures.
pub async fn lock_posts(tx: &mut PgTransaction<'_>, media: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
    let showing = list_posts(&mut **tx, media).await?;
    if !showing.is_empty() {
        Post::lock(tx, &showing).await?;
    }
    Ok(showing)
}

/// What others may know of a picture has changed: the posts that show it are published again.
pub async fn changed(tx: &mut PgTransaction<'_>, media: Uuid) -> sqlx::Result<()> {
    // Asked once more: another one may have been committed before this transaction had the picture.
    let showing = list_posts(&mut **tx, &[media]).await?;
    publish_posts(tx, &showing).await
}

/// Deletes pictures, and takes them off all that shows them.
pub async fn deleted(tx: &mut PgTransaction<'_>, media: &[Uuid]) -> sqlx::Result<()> {
    if media.is_empty() {
        return Ok(());
    }
    let showing = lock_posts(tx, media).await?;
    pictures::signals::taken_off(tx, media).await?;
    let (gone, blobs) = Media::delete(tx, media).await?;
    media_deleted(tx, &gone).await?;
    Blob::doom_unreferenced(tx, &blobs).await?;
    publish_posts(tx, &showing).await
}

/// Posts were deleted: so are the pictures that no other post shows.
pub async fn posts_deleted(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<()> {
    let alone = delete_of_posts(tx, posts).await?;
    deleted(tx, &alone).await
}

/// Deletes a batch of an erased person's pictures; true when there may be more.
pub async fn erase(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<bool> {
    let media = Media::lock_some(tx, person, BATCH).await?;
    deleted(tx, &media).await?;
    pictures::models::ProfilePicture::delete_of(tx, person).await?;
    uploads::direct::signals::erased(tx, person).await?;
    Ok(!media.is_empty())
}

/// Publishes posts with the pictures that they show now.
async fn publish_posts(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<()> {
    if posts.is_empty() {
        return Ok(());
    }
    for post in Post::renew(tx, posts).await? {
        let post = shown::as_published(tx, post).await?;
        post_updated(tx, &post).await?;
    }
    Ok(())
}

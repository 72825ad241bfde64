//! What follows from a change of a picture, in the same transaction: the posts that show it are to be published again, profiles lose it, its
//! end is published, and its files are marked for the sweep.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::attachments::models::delete_of_posts;
use super::blobs::models::Blob;
use super::events::producers::media_deleted;
use super::models::{Media, delete_usage};
use super::pictures::models::ProfilePicture;
use super::republication::models::Republication;
use super::{pictures, uploads};

/// Pictures deleted in one statement when their owner's data is erased.
const BATCH: i64 = 100;

/// What others may know of pictures that this transaction has changed is another thing now.
pub async fn changed(tx: &mut PgTransaction<'_>, media: &[Uuid]) -> sqlx::Result<()> {
    Republication::create(tx, media).await
}

/// Deletes pictures, and takes them off all that shows them. A transaction does it once, for all of its pictures.
pub async fn deleted(tx: &mut PgTransaction<'_>, media: &[Uuid]) -> sqlx::Result<()> {
    if media.is_empty() {
        return Ok(());
    }
    Media::lock(tx, media).await?;
    pictures::signals::taken_off(tx, media).await?;
    let (gone, blobs) = Media::delete(tx, media).await?;
    media_deleted(tx, &gone).await?;
    Blob::doom_unreferenced(tx, &blobs).await?;
    changed(tx, media).await
}

/// Posts were deleted: so are the pictures that no other post shows.
pub async fn posts_deleted(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<()> {
    removed(tx, posts, &[]).await
}

/// Posts were deleted, and these pictures are to be: they go with the pictures that no other post shows. Of posts that are still there
/// nothing is taken.
pub async fn removed(tx: &mut PgTransaction<'_>, posts: &[Uuid], media: &[Uuid]) -> sqlx::Result<()> {
    let alone = delete_of_posts(tx, posts).await?;
    deleted(tx, &[alone, media.to_vec()].concat()).await
}

/// Deletes a batch of an erased person's pictures; true when there may be more.
pub async fn erase(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<bool> {
    let media = Media::lock_some(tx, person, BATCH).await?;
    pictures::signals::taken_off(tx, &media).await?;
    ProfilePicture::delete_of(tx, person).await?;
    uploads::direct::signals::erased(tx, person).await?;
    deleted(tx, &media).await?;
    if media.is_empty() {
        delete_usage(tx, person).await?;
    }
    Ok(!media.is_empty())
}

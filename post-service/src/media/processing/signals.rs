//! What follows when a picture was processed, in the same transaction.
use sqlx::PgTransaction;

use super::models::{LeasedMedia, ProcessedMedia, StoredRendition};
use crate::media::blobs::hex;
use crate::media::blobs::models::Blob;
use crate::media::events::producers::{MediaReady, media_ready};
use crate::media::signals::{changed, lock_posts};

/// A picture has become READY with these files; false when it was deleted meanwhile, or is another worker's.
pub async fn ready(
    tx: &mut PgTransaction<'_>,
    media: &LeasedMedia,
    processed: &ProcessedMedia,
    renditions: &[StoredRendition],
) -> sqlx::Result<bool> {
    lock_posts(tx, &[media.id]).await?;
    let Some(ready) = media.finish(tx, processed).await? else { return Ok(false) };
    media.save_renditions(tx, renditions).await?;
    Blob::doom_unreferenced(tx, &[media.original]).await?;
    let event = MediaReady {
        media_id: media.id,
        owner_id: media.owner,
        purpose: media.purpose,
        content_type: &media.content_type,
        width: processed.width,
        height: processed.height,
        sha256: hex(&ready.sha256),
        perceptual_hash: format!("{:016x}", processed.perceptual_hash),
        version: ready.version,
    };
    media_ready(tx, &event).await?;
    changed(tx, media.id).await?;
    Ok(true)
}

/// A picture was refused: the posts that show it lose it.
pub async fn refused(tx: &mut PgTransaction<'_>, media: &LeasedMedia, reason: &str) -> sqlx::Result<()> {
    lock_posts(tx, &[media.id]).await?;
    if media.refuse(tx, reason).await? {
        Blob::doom_unreferenced(tx, &[media.original]).await?;
        changed(tx, media.id).await?;
    }
    Ok(())
}

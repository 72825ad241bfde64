//! What follows when a picture was processed, in the same transaction.
use sqlx::PgTransaction;

use super::models::{LeasedMedia, ProcessedMedia, StoredRendition};
use crate::media::blobs::hex;
use crate::media::blobs::models::{Blob, OwnedBlob};
use crate::media::events::producers::{MediaReady, media_ready};
use crate::media::signals::changed;

/// A picture that this transaction has locked has become READY with these files.
pub async fn ready(
    tx: &mut PgTransaction<'_>,
    media: &LeasedMedia,
    processed: &ProcessedMedia,
    renditions: &[StoredRendition],
) -> sqlx::Result<()> {
    let ready = media.finish(tx, processed).await?.ok_or(sqlx::Error::RowNotFound)?;
    media.save_renditions(tx, renditions).await?;
    Blob::doom_unreferenced(tx, &[upload_of(media)]).await?;
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
    changed(tx, &[media.id]).await
}

/// A picture was refused: the posts that show it lose it.
pub async fn refused(tx: &mut PgTransaction<'_>, media: &LeasedMedia, reason: &str) -> sqlx::Result<()> {
    if media.refuse(tx, reason).await? {
        Blob::doom_unreferenced(tx, &[upload_of(media)]).await?;
        changed(tx, &[media.id]).await?;
    }
    Ok(())
}

/// The file of its upload, to which it does not refer any more.
fn upload_of(media: &LeasedMedia) -> OwnedBlob {
    OwnedBlob { id: media.original, owner: media.owner }
}

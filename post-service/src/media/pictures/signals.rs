//! What follows when a person has another avatar or banner, in the same transaction.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::events::producers::{PictureChanged, profile_picture_changed};
use super::models::{PictureChange, ProfilePicture};
use crate::media::grants::MediaUrls;
use crate::media::models::Media;

/// The rendition that a profile shows.
pub const SHOWN: &str = "medium";

/// A person has chosen a picture, or none.
pub async fn chosen(tx: &mut PgTransaction<'_>, urls: &MediaUrls, change: &PictureChange) -> sqlx::Result<()> {
    let concerned: Vec<Uuid> = change.picture.media_id.into_iter().chain(change.replaced).collect();
    Media::save_use(tx, &concerned).await?;
    let url = change.picture.media_id.map(|id| urls.path(id, SHOWN));
    publish(tx, &change.picture, url.as_deref()).await
}

/// Pictures are deleted, or hidden: no profile shows them any more.
pub async fn taken_off(tx: &mut PgTransaction<'_>, media: &[Uuid]) -> sqlx::Result<()> {
    for picture in ProfilePicture::take_off(tx, media).await? {
        publish(tx, &picture, None).await?;
    }
    Ok(())
}

async fn publish(tx: &mut PgTransaction<'_>, picture: &ProfilePicture, url: Option<&str>) -> sqlx::Result<()> {
    let ProfilePicture { user_id, purpose, media_id, version } = *picture;
    profile_picture_changed(tx, &PictureChanged { user_id, purpose, media_id, url, version }).await
}

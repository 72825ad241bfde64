//! What follows from a picture, and from a change of the blocklist, in the same transaction.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::{BLOCKED_ONCE, BlockedPicture, NewPicture, Picture, Recognised};
use super::schemas::BlockedPictureIn;
use super::services::{PerceptualHash, PictureSettings};
use super::{ALREADY_BLOCKED, NO_PICTURE, NOT_BLOCKED};
use crate::analyses::outcomes::{Judged, Subjected};
use crate::analyses::scoring::NO_MODEL;
use crate::analyses::signals::{conclude, deleted as content_deleted};
use crate::contents::models as contents;
use crate::core::api::errors::Error;
use crate::core::events::Failure;
use crate::policies::models::load_policies;
use crate::signals::Signals;
use crate::signals::pictures::{PictureSignals, RecognisedPicture};
use crate::subjects::{SubjectKey, SubjectType};

/// Pictures are ready to be shown, each is given once: they are judged before they were seen by many.
pub async fn ready(
    tx: &mut PgTransaction<'_>,
    settings: PictureSettings,
    pictures: &[NewPicture],
) -> Result<(), Failure> {
    let mut fresh = Vec::new();
    for picture in pictures {
        fresh.extend(picture.save(tx).await?);
    }
    judge(tx, settings, fresh).await
}

/// Judges pictures that this transaction has locked, by what the blocklist has now.
pub async fn judge(
    tx: &mut PgTransaction<'_>,
    settings: PictureSettings,
    pictures: Vec<Picture>,
) -> Result<(), Failure> {
    if pictures.is_empty() {
        return Ok(());
    }
    contents::lock(tx, &pictures.iter().map(|picture| picture.id).collect::<Vec<_>>()).await?;
    let policies = load_policies(&mut **tx).await?;
    let mut judged = Vec::with_capacity(pictures.len());
    for picture in pictures {
        let distance = settings.moderation_picture_distance;
        let recognised = Recognised::find(&mut **tx, PerceptualHash(picture.hash), distance).await?;
        metrics::counter!("pictures_recognised_total").increment(u64::from(recognised.is_some()));
        let blocked = recognised.map(|entry| RecognisedPicture { entry: entry.id, distance: entry.distance });
        let signals = Signals::of_picture(PictureSignals { blocked, nudity: picture.nudity });
        let model = picture.nudity_model.unwrap_or_else(|| NO_MODEL.to_owned());
        let content = Subjected {
            key: SubjectKey { r#type: SubjectType::Media, id: picture.id },
            author: picture.owner,
            version: picture.saved_at,
            text: String::new(),
        };
        let hash = picture.sha256.as_slice().try_into().map_err(|_| Failure::Permanent("no SHA-256".to_owned()))?;
        let reason = recognised.map(|entry| entry.reason);
        judged.push(Judged::of_picture(&policies, content, (hash, model), signals, reason));
    }
    conclude(tx, judged).await
}

/// Pictures were deleted where they were: their cases are closed, and they are forgotten.
pub async fn deleted(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<()> {
    content_deleted(tx, ids).await?;
    Picture::delete(tx, ids).await
}

/// Blocks a picture, and lets those that are near it be judged again.
pub async fn block(
    tx: &mut PgTransaction<'_>,
    settings: PictureSettings,
    body: &BlockedPictureIn,
    by: Uuid,
) -> Result<BlockedPicture, Error> {
    let hash = match (body.hash, body.media_id) {
        (Some(hash), _) => hash,
        (None, Some(media)) => Picture::find_hash(&mut **tx, media).await?.ok_or(NO_PICTURE)?,
        (None, None) => return Err(NO_PICTURE),
    };
    let blocked = BlockedPicture::create(tx, hash, body.reason, body.note.as_deref(), by).await;
    let blocked = blocked.map_err(|error| match error {
        sqlx::Error::Database(cause) if cause.constraint() == Some(BLOCKED_ONCE) => ALREADY_BLOCKED,
        other => other.into(),
    })?;
    Picture::note_near(tx, hash, settings.moderation_picture_distance).await?;
    Ok(blocked)
}

/// Takes an entry from the blocklist, and lets the pictures near it be judged again.
pub async fn unblock(tx: &mut PgTransaction<'_>, settings: PictureSettings, id: Uuid) -> Result<(), Error> {
    let entry = BlockedPicture::delete(tx, id).await?.ok_or(NOT_BLOCKED)?;
    Picture::note_near(tx, PerceptualHash(entry.hash), settings.moderation_picture_distance).await?;
    Ok(())
}

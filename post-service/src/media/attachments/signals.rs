//! What follows when a post gets other pictures, in the same transaction.
use axum::http::StatusCode;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::{lock_attachable, replace};
use crate::core::api::errors::Error;
use crate::media::models::Media;
use crate::media::{MediaStatus, Purpose};

/// Lets a person's post show these pictures and no others, in this order; those that it has when none are given.
pub async fn attached(
    tx: &mut PgTransaction<'_>,
    post: Uuid,
    owner: Uuid,
    media: Option<&[Uuid]>,
) -> Result<(), Error> {
    let Some(media) = media else { return Ok(()) };
    let theirs = lock_attachable(tx, post, owner, media).await?;
    let can_be_shown = |id: &Uuid| {
        theirs.iter().any(|media| {
            media.id == *id && media.purpose == Purpose::Post && media.status != MediaStatus::Refused && !media.hidden
        })
    };
    if !media.iter().all(can_be_shown) {
        return Err(Error::Refused(
            StatusCode::BAD_REQUEST,
            "media must be your own pictures for posts, and not refused",
        ));
    }
    let removed = replace(tx, post, media).await?;
    let concerned: Vec<Uuid> = media.iter().copied().chain(removed).collect();
    Media::save_use(tx, &concerned).await?;
    Ok(())
}

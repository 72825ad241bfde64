//! Publishes the events of pictures.
use serde::Serialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::{MEDIA_DELETED, MEDIA_READY};
use crate::core::events::outbox::{publish, publish_all};
use crate::media::Purpose;
use crate::media::models::DeletedMedia;

/// A picture can be shown.
#[derive(Serialize)]
pub struct MediaReady<'a> {
    pub media_id: Uuid,
    pub owner_id: Uuid,
    pub purpose: Purpose,
    /// Of the upload, found by its content.
    pub content_type: &'a str,
    pub width: i32,
    pub height: i32,
    /// Of the upload, in hexadecimal digits.
    pub sha256: String,
    /// 16 hexadecimal digits.
    pub perceptual_hash: String,
    pub version: i64,
}

/// Publishes `media_ready`.
pub async fn media_ready(tx: &mut PgTransaction<'_>, media: &MediaReady<'_>) -> sqlx::Result<()> {
    publish(tx, MEDIA_READY, media).await
}

/// Publishes `media_deleted` of pictures whose rows this transaction has deleted, whatever was the reason, and however far they were.
pub async fn media_deleted(tx: &mut PgTransaction<'_>, deleted: &[DeletedMedia]) -> sqlx::Result<()> {
    publish_all(tx, MEDIA_DELETED, deleted).await
}

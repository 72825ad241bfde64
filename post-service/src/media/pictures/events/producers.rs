//! Publishes the events of the pictures of profiles.
use serde::Serialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::PROFILE_PICTURE_CHANGED;
use crate::core::events::outbox::publish;
use crate::media::Purpose;

/// A person has another avatar or banner, or none any more.
#[derive(Serialize)]
pub struct PictureChanged<'a> {
    pub user_id: Uuid,
    pub purpose: Purpose,
    pub media_id: Option<Uuid>,
    pub url: Option<&'a str>,
    /// Of this picture of this person.
    pub version: i64,
}

/// Publishes `profile_picture_changed`.
pub async fn profile_picture_changed(tx: &mut PgTransaction<'_>, change: &PictureChanged<'_>) -> sqlx::Result<()> {
    publish(tx, PROFILE_PICTURE_CHANGED, change).await
}

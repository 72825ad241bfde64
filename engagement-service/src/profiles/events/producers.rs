//! Publishes the event of activity profiles.
use serde::Serialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::LEVEL_CHANGED;
use crate::core::events::outbox::publish;
use crate::profiles::Level;
use crate::profiles::models::Rating;

/// The message of `user_engagement_level_changed`.
#[derive(Serialize)]
struct LevelChanged {
    user_id: Uuid,
    previous: Level,
    status: Level,
    engagement_score: f64,
}

/// Publishes `user_engagement_level_changed`.
pub async fn level_changed(tx: &mut PgTransaction<'_>, previous: Level, rating: &Rating) -> sqlx::Result<()> {
    let Rating { user_id, engagement_score, status, .. } = *rating;
    publish(tx, LEVEL_CHANGED, &LevelChanged { user_id, previous, status, engagement_score }).await
}

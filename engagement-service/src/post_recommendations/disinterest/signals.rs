//! What follows when a user says what they are not interested in, in its transaction: their next list is a new one.
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::post_recommendations::models::PostRecommendationList;

/// A user is not interested in a post, or took that back.
pub async fn changed(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<()> {
    PostRecommendationList::outdate(tx, user).await
}

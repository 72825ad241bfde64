//! What the interaction service tells the others about views.
use sqlx::PgTransaction;

use super::POST_VIEWED;
use crate::core::events::outbox::publish;
use crate::post_views::schemas::PostViewed;

/// Somebody viewed a post.
pub async fn post_viewed(tx: &mut PgTransaction<'_>, view: &PostViewed) -> sqlx::Result<()> {
    publish(tx, POST_VIEWED, view).await
}

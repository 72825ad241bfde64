//! Publishes the event of views.
use sqlx::PgTransaction;

use super::POST_VIEWED;
use crate::core::events::outbox::publish;
use crate::post_views::schemas::PublishedView;

/// Publishes `post_viewed`.
pub async fn post_viewed(tx: &mut PgTransaction<'_>, view: &PublishedView) -> sqlx::Result<()> {
    publish(tx, POST_VIEWED, view).await
}

//! Publishes the requests to delete content.
use sqlx::PgTransaction;

use super::{COMMENT_DELETE_REQUESTED, POST_DELETE_REQUESTED};
use crate::core::events::outbox::publish;
use crate::moderations::schemas::ModerationOut;

/// Publishes `post_delete_requested`.
pub async fn post_delete_requested(tx: &mut PgTransaction<'_>, case: &ModerationOut) -> sqlx::Result<()> {
    publish(tx, POST_DELETE_REQUESTED, case).await
}

/// Publishes `moderation_post_comment_delete_requested`.
pub async fn comment_delete_requested(tx: &mut PgTransaction<'_>, case: &ModerationOut) -> sqlx::Result<()> {
    publish(tx, COMMENT_DELETE_REQUESTED, case).await
}

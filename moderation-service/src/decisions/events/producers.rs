//! Publishes notices, and the contract's requests to delete content.
use sqlx::PgTransaction;

use super::{COMMENT_DELETE_REQUESTED, MODERATION_NOTICE, POST_DELETE_REQUESTED};
use crate::core::events::outbox::publish;
use crate::decisions::schemas::{DeleteRequest, Notice};
use crate::subjects::SubjectType;

/// Publishes `moderation_notice`.
pub async fn moderation_notice(tx: &mut PgTransaction<'_>, notice: &Notice) -> sqlx::Result<()> {
    publish(tx, MODERATION_NOTICE, notice).await
}

/// Publishes `post_delete_requested` or `moderation_post_comment_delete_requested`.
pub async fn delete_requested(tx: &mut PgTransaction<'_>, request: &DeleteRequest) -> sqlx::Result<()> {
    if request.r#type == SubjectType::Post {
        publish(tx, POST_DELETE_REQUESTED, request).await
    } else {
        publish(tx, COMMENT_DELETE_REQUESTED, request).await
    }
}

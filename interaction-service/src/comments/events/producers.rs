//! Publishes the events of comments.
use serde::Serialize;
use sqlx::PgTransaction;

use super::{COMMENT_CREATED, COMMENT_DELETE_COMPLETED, COMMENT_DELETED, COMMENT_UPDATED};
use crate::comments::schemas::{CommentOut, RestoredComment};
use crate::core::events::outbox::{publish, publish_all};

/// Publishes `post_comment_created`.
pub async fn comment_created(tx: &mut PgTransaction<'_>, comment: &CommentOut) -> sqlx::Result<()> {
    publish(tx, COMMENT_CREATED, comment).await
}

/// Publishes `post_comment_created` for a comment that a decision of moderation restored.
pub async fn comment_restored(tx: &mut PgTransaction<'_>, comment: &RestoredComment) -> sqlx::Result<()> {
    publish(tx, COMMENT_CREATED, comment).await
}

/// Publishes `post_comment_updated`.
pub async fn comment_updated(tx: &mut PgTransaction<'_>, comment: &CommentOut) -> sqlx::Result<()> {
    publish(tx, COMMENT_UPDATED, comment).await
}

/// Publishes `post_comment_deleted`.
pub async fn comment_deleted(tx: &mut PgTransaction<'_>, comment: &CommentOut) -> sqlx::Result<()> {
    publish(tx, COMMENT_DELETED, comment).await
}

/// Publishes `post_comment_deleted` for each of many comments.
pub async fn comments_deleted(tx: &mut PgTransaction<'_>, comments: &[CommentOut]) -> sqlx::Result<()> {
    publish_all(tx, COMMENT_DELETED, comments).await
}

/// Publishes that a requested deletion is done, with the comment as it was, or as moderation knew it.
pub async fn comment_delete_completed(tx: &mut PgTransaction<'_>, comment: &impl Serialize) -> sqlx::Result<()> {
    publish(tx, COMMENT_DELETE_COMPLETED, comment).await
}

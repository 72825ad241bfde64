//! Publishes the events of comments.
use serde::Serialize;
use sqlx::PgTransaction;

use super::{COMMENT_CREATED, COMMENT_DELETE_COMPLETED, COMMENT_DELETED, COMMENT_UPDATED, HIDDEN_COMMENT_DELETED};
use crate::comments::schemas::{CommentOut, DeletedHiddenComment, RestoredComment};
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

/// Publishes `post_comment_deleted` for a comment that is hidden now.
pub async fn comment_deleted(tx: &mut PgTransaction<'_>, comment: &CommentOut) -> sqlx::Result<()> {
    publish(tx, COMMENT_DELETED, comment).await
}

/// Publishes `post_comment_deleted` for each of these comments, which are gone for good. Of a hidden one that is published already, and
/// counters have gone down with it: for that one it is `hidden_comment_deleted`.
pub async fn comments_deleted(tx: &mut PgTransaction<'_>, comments: Vec<CommentOut>) -> sqlx::Result<()> {
    let (hidden, shown): (Vec<_>, Vec<_>) = comments.into_iter().partition(|comment| comment.hidden_at.is_some());
    publish_all(tx, COMMENT_DELETED, &shown).await?;
    let hidden: Vec<_> = hidden.iter().map(DeletedHiddenComment::from).collect();
    publish_all(tx, HIDDEN_COMMENT_DELETED, &hidden).await
}

/// Publishes that a requested deletion is done, with the comment as it was, or as moderation knew it.
pub async fn comment_delete_completed(tx: &mut PgTransaction<'_>, comment: &impl Serialize) -> sqlx::Result<()> {
    publish(tx, COMMENT_DELETE_COMPLETED, comment).await
}

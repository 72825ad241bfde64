//! Publishes the events of posts.
use serde::Serialize;
use sqlx::PgTransaction;

use super::{POST_CREATED, POST_DELETE_COMPLETED, POST_DELETED, POST_UPDATED};
use crate::core::events::outbox::{publish, publish_all};
use crate::posts::schemas::{PostOut, RestoredPost};

/// Publishes `post_created`.
pub async fn post_created(tx: &mut PgTransaction<'_>, post: &PostOut) -> sqlx::Result<()> {
    publish(tx, POST_CREATED, post).await
}

/// Publishes `post_created` for a post that a decision of moderation restored.
pub async fn post_restored(tx: &mut PgTransaction<'_>, post: &RestoredPost) -> sqlx::Result<()> {
    publish(tx, POST_CREATED, post).await
}

/// Publishes `post_updated`.
pub async fn post_updated(tx: &mut PgTransaction<'_>, post: &PostOut) -> sqlx::Result<()> {
    publish(tx, POST_UPDATED, post).await
}

/// Publishes `post_updated` of posts that this transaction has locked.
pub async fn posts_updated(tx: &mut PgTransaction<'_>, posts: &[PostOut]) -> sqlx::Result<()> {
    publish_all(tx, POST_UPDATED, posts).await
}

/// Publishes `post_deleted`.
pub async fn post_deleted(tx: &mut PgTransaction<'_>, post: &PostOut) -> sqlx::Result<()> {
    publish(tx, POST_DELETED, post).await
}

/// Publishes `post_deleted` of posts that this transaction has deleted.
pub async fn posts_deleted(tx: &mut PgTransaction<'_>, posts: &[PostOut]) -> sqlx::Result<()> {
    publish_all(tx, POST_DELETED, posts).await
}

/// Publishes that a requested deletion is done, with the post as it was, or as moderation knew it.
pub async fn post_delete_completed(tx: &mut PgTransaction<'_>, post: &impl Serialize) -> sqlx::Result<()> {
    publish(tx, POST_DELETE_COMPLETED, post).await
}

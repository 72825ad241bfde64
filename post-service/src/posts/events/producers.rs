//! What the post service tells the others.
use serde::Serialize;
use sqlx::PgTransaction;

use super::{POST_CREATED, POST_DELETE_COMPLETED, POST_DELETED, POST_UPDATED};
use crate::core::events::outbox::publish;
use crate::posts::schemas::PostOut;

/// Somebody wrote a post.
pub async fn post_created(tx: &mut PgTransaction<'_>, post: &PostOut) -> sqlx::Result<()> {
    publish(tx, POST_CREATED, post).await
}

/// Somebody changed their post.
pub async fn post_updated(tx: &mut PgTransaction<'_>, post: &PostOut) -> sqlx::Result<()> {
    publish(tx, POST_UPDATED, post).await
}

/// A post is gone.
pub async fn post_deleted(tx: &mut PgTransaction<'_>, post: &PostOut) -> sqlx::Result<()> {
    publish(tx, POST_DELETED, post).await
}

/// Moderation asked that a post be deleted, and it is: the post, as it was or as moderation knew it.
pub async fn post_delete_completed(tx: &mut PgTransaction<'_>, post: &impl Serialize) -> sqlx::Result<()> {
    publish(tx, POST_DELETE_COMPLETED, post).await
}

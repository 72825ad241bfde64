//! What follows from a version of a post for its tags, in the same transaction.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::PostTag;
use super::services::post_tags;
use crate::posts::models::Post;

/// A post was written, changed or restored: it stands under its tags when all users may read it, and otherwise under none.
pub async fn saved(tx: &mut PgTransaction<'_>, post: &Post) -> sqlx::Result<()> {
    if !post.is_public() {
        return hidden(tx, post.id).await;
    }
    PostTag::save(tx, &[post.id], &post_tags(post.id, &post.content)).await
}

/// A post was hidden. One that is deleted takes its tags with it.
pub async fn hidden(tx: &mut PgTransaction<'_>, post: Uuid) -> sqlx::Result<()> {
    PostTag::save(tx, &[post], &[]).await
}

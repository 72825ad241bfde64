//! What follows from a version of a post for its tags, in the same transaction.
use sqlx::PgTransaction;

use super::models::PostTag;
use super::services::post_tags;
use crate::posts::models::Post;

/// A post was written or changed.
pub async fn saved(tx: &mut PgTransaction<'_>, post: &Post) -> sqlx::Result<()> {
    PostTag::save(tx, &[post.id], &post_tags(post.id, &post.content)).await
}

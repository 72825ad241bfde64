//! What follows from the deletion of posts, in the same transaction: their comments, reactions and bookmarks are deleted.
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::{bookmarks, comments, reactions};

/// Posts were deleted, and no transaction can add a comment or a reaction any more.
pub async fn deleted(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<()> {
    comments::signals::posts_deleted(tx, posts).await?;
    reactions::signals::posts_deleted(tx, posts).await?;
    bookmarks::signals::posts_deleted(tx, posts).await
}

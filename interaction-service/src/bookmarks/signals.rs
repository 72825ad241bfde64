//! What follows for bookmarks from the deletion of posts, in the same transaction.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::Bookmark;

/// Posts were deleted, and no transaction can bookmark them any more: their bookmarks are deleted.
pub async fn posts_deleted(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<()> {
    Bookmark::delete_by_posts(tx, posts).await
}

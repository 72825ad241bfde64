//! What follows from the end of posts, in the same transaction: their comments and reactions end too.
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::{comments, reactions};

/// Posts were deleted; nobody can comment on or react to them any more.
pub async fn deleted(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<()> {
    comments::signals::posts_deleted(tx, posts).await?;
    reactions::signals::posts_deleted(tx, posts).await
}

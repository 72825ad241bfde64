//! What follows for items from a version of a post, in the same transaction.
use sqlx::PgTransaction;

use super::models::Item;
use super::schemas::ItemChange;
use crate::posts::models::Post;

/// A post was written or changed with that.
pub async fn saved(tx: &mut PgTransaction<'_>, post: &Post, change: &ItemChange) -> sqlx::Result<()> {
    match change {
        ItemChange::Kept => published(tx, post).await,
        ItemChange::Removed => Item::detach(tx, post.id).await,
        ItemChange::Replaced(item) => {
            item.attach(tx, post.id).await?;
            Item::settle(tx, post.id, post.is_public()).await
        }
    }
}

/// A post may be one that all users can read from now on: the posts of an item that they can read say the same about it.
pub async fn published(tx: &mut PgTransaction<'_>, post: &Post) -> sqlx::Result<()> {
    if post.is_public() { Item::settle(tx, post.id, true).await } else { Ok(()) }
}

//! What follows for items from a version of a post, in the same transaction.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::Item;
use super::schemas::ItemChange;

/// A post was written or changed with that.
pub async fn saved(tx: &mut PgTransaction<'_>, post: Uuid, change: &ItemChange) -> sqlx::Result<()> {
    match change {
        ItemChange::Kept => Ok(()),
        ItemChange::Removed => Item::detach(tx, post).await,
        ItemChange::Replaced(item) => item.attach(tx, post).await,
    }
}

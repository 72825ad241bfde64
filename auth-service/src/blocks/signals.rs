//! What follows from a change of a block, in the change's transaction.
use sqlx::PgTransaction;

use super::events::producers;
use super::models::Block;

/// Somebody was blocked.
pub async fn blocked(tx: &mut PgTransaction<'_>, block: Block) -> sqlx::Result<()> {
    producers::user_blocked(tx, &block.into()).await
}

/// Somebody is not blocked any more.
pub async fn unblocked(tx: &mut PgTransaction<'_>, block: Block) -> sqlx::Result<()> {
    producers::user_unblocked(tx, &block.into()).await
}

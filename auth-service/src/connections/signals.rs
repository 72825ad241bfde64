//! What follows from a change of a connection or a block, in the change's transaction. The target's hash stays as it is: it
//! holds nothing of who is connected to them, and a hash that thousands wait to mark would be one more place to queue at.
use sqlx::PgTransaction;

use super::blocks::models::Block;
use super::events::producers;
use super::models::Connection;
use crate::directory;

/// A connection was made.
pub async fn connected(tx: &mut PgTransaction<'_>, connection: Connection) -> sqlx::Result<()> {
    producers::user_connected(tx, &connection.into()).await?;
    directory::models::mark_stale(tx, &[connection.user_id]).await
}

/// Connections ended.
pub async fn disconnected(tx: &mut PgTransaction<'_>, connections: &[Connection]) -> sqlx::Result<()> {
    for connection in connections {
        producers::user_disconnected(tx, &(*connection).into()).await?;
    }
    let ids: Vec<_> = connections.iter().map(|connection| connection.user_id).collect();
    directory::models::mark_stale(tx, &ids).await
}

/// A user was blocked.
pub async fn blocked(tx: &mut PgTransaction<'_>, block: Block) -> sqlx::Result<()> {
    producers::user_blocked(tx, &block.into()).await
}

/// A block ended.
pub async fn unblocked(tx: &mut PgTransaction<'_>, block: Block) -> sqlx::Result<()> {
    producers::user_unblocked(tx, &block.into()).await
}

//! Publishes the events of connections and blocks.
use sqlx::PgTransaction;

use super::{USER_BLOCKED, USER_CONNECTED, USER_DISCONNECTED, USER_UNBLOCKED};
use crate::connections::schemas::PairEvent;
use crate::core::events::outbox::publish;

/// A person is connected to another one.
pub async fn user_connected(tx: &mut PgTransaction<'_>, link: &PairEvent) -> sqlx::Result<()> {
    publish(tx, USER_CONNECTED, link).await
}

/// A person is not connected to another one any more.
pub async fn user_disconnected(tx: &mut PgTransaction<'_>, link: &PairEvent) -> sqlx::Result<()> {
    publish(tx, USER_DISCONNECTED, link).await
}

/// A person has blocked another one.
pub async fn user_blocked(tx: &mut PgTransaction<'_>, link: &PairEvent) -> sqlx::Result<()> {
    publish(tx, USER_BLOCKED, link).await
}

/// A person does not block another one any more.
pub async fn user_unblocked(tx: &mut PgTransaction<'_>, link: &PairEvent) -> sqlx::Result<()> {
    publish(tx, USER_UNBLOCKED, link).await
}

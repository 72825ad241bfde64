//! What connections tell the other services.
use sqlx::PgTransaction;

use super::{USER_CONNECTED, USER_DISCONNECTED};
use crate::connections::schemas::Link;
use crate::core::events::outbox::publish;

/// A person is connected to another one.
pub async fn user_connected(tx: &mut PgTransaction<'_>, link: &Link) -> sqlx::Result<()> {
    publish(tx, USER_CONNECTED, link).await
}

/// A person is not connected to another one any more.
pub async fn user_disconnected(tx: &mut PgTransaction<'_>, link: &Link) -> sqlx::Result<()> {
    publish(tx, USER_DISCONNECTED, link).await
}

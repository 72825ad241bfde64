//! What blocks tell the other services.
use sqlx::PgTransaction;

use super::{USER_BLOCKED, USER_UNBLOCKED};
use crate::connections::schemas::Link;
use crate::core::events::outbox::publish;

/// A person has blocked another one.
pub async fn user_blocked(tx: &mut PgTransaction<'_>, link: &Link) -> sqlx::Result<()> {
    publish(tx, USER_BLOCKED, link).await
}

/// A person does not block another one any more.
pub async fn user_unblocked(tx: &mut PgTransaction<'_>, link: &Link) -> sqlx::Result<()> {
    publish(tx, USER_UNBLOCKED, link).await
}

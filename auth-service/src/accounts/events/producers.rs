//! Publishes the events of accounts.
use sqlx::PgTransaction;

use super::{LINKED_ACCOUNT_CHANGED, USER_DELETED, USER_REGISTERED};
use crate::accounts::schemas::{LinkedAccountChanged, UserDeleted};
use crate::core::events::outbox::publish;
use crate::users::schemas::UserOut;

/// Publishes `user_registered`.
pub async fn user_registered(tx: &mut PgTransaction<'_>, user: &UserOut) -> sqlx::Result<()> {
    publish(tx, USER_REGISTERED, user).await
}

/// Publishes `user_deleted`.
pub async fn user_deleted(tx: &mut PgTransaction<'_>, user: &UserDeleted) -> sqlx::Result<()> {
    publish(tx, USER_DELETED, user).await
}

/// Publishes `linked_account_changed`.
pub async fn linked_account_changed(tx: &mut PgTransaction<'_>, change: &LinkedAccountChanged<'_>) -> sqlx::Result<()> {
    publish(tx, LINKED_ACCOUNT_CHANGED, change).await
}

//! What accounts tell the other services.
use sqlx::PgTransaction;

use super::{USER_DELETED, USER_REGISTERED};
use crate::accounts::schemas::UserDeleted;
use crate::core::events::outbox::publish;
use crate::users::schemas::UserOut;

/// Somebody signed up.
pub async fn user_registered(tx: &mut PgTransaction<'_>, user: &UserOut) -> sqlx::Result<()> {
    publish(tx, USER_REGISTERED, user).await
}

/// Somebody left.
pub async fn user_deleted(tx: &mut PgTransaction<'_>, user: &UserDeleted) -> sqlx::Result<()> {
    publish(tx, USER_DELETED, user).await
}

//! Publishes the events of profiles.
use sqlx::PgTransaction;

use super::USER_UPDATED;
use crate::core::events::outbox::publish;
use crate::profiles::schemas::UserUpdated;

/// Publishes `user_updated`.
pub async fn user_updated(tx: &mut PgTransaction<'_>, user: &UserUpdated) -> sqlx::Result<()> {
    publish(tx, USER_UPDATED, user).await
}

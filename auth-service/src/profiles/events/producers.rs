//! What profiles tell the other services.
use sqlx::PgTransaction;

use super::USER_UPDATED;
use crate::core::events::outbox::publish;
use crate::profiles::schemas::UserUpdated;

/// Somebody is described in another way than before.
pub async fn user_updated(tx: &mut PgTransaction<'_>, user: &UserUpdated) -> sqlx::Result<()> {
    publish(tx, USER_UPDATED, user).await
}

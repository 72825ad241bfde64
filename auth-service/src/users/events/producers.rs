//! What the auth service tells the others.
use sqlx::PgTransaction;

use super::USER_REGISTERED;
use crate::core::events::outbox::publish;
use crate::users::schemas::UserOut;

/// Somebody signed up.
pub async fn user_registered(tx: &mut PgTransaction<'_>, user: &UserOut) -> sqlx::Result<()> {
    publish(tx, USER_REGISTERED, user).await
}

//! What the interaction service tells the others about people.
use serde::Serialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::USER_ERASED;
use crate::core::events::outbox::publish;

/// Somebody of whom nothing is left here.
#[derive(Serialize)]
struct UserErased {
    user_id: Uuid,
}

/// What was held about somebody who left is erased.
pub async fn user_erased(tx: &mut PgTransaction<'_>, user_id: Uuid) -> sqlx::Result<()> {
    publish(tx, USER_ERASED, &UserErased { user_id }).await
}

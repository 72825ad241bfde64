//! Publishes the end of sessions, so that other services drop cached verdicts about their tokens.
use serde::Serialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::SESSION_REVOKED;
use crate::core::contract::timestamp::Timestamp;
use crate::core::events::outbox::publish;

/// The payload of `session_revoked`.
#[derive(Serialize)]
pub struct SessionRevoked {
    pub user_id: Uuid,
    /// Null: all sessions of that person.
    pub session_id: Option<Uuid>,
    pub reason: &'static str,
    pub revoked_at: Timestamp,
}

/// Publishes `session_revoked`.
pub async fn session_revoked(tx: &mut PgTransaction<'_>, revoked: &SessionRevoked) -> sqlx::Result<()> {
    publish(tx, SESSION_REVOKED, revoked).await
}

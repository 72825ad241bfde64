//! Publishes what became of subjects.
use sqlx::PgTransaction;

use super::{CONTENT_LABELLED, MODERATION_DECIDED, USER_STATUS_CHANGED};
use crate::core::events::outbox::publish;
use crate::ledger::schemas::{ContentLabelled, ModerationDecided, UserStatusChanged};

/// Publishes `moderation_decided`.
pub async fn moderation_decided(tx: &mut PgTransaction<'_>, event: &ModerationDecided<'_>) -> sqlx::Result<()> {
    publish(tx, MODERATION_DECIDED, event).await
}

/// Publishes `content_labelled`.
pub async fn content_labelled(tx: &mut PgTransaction<'_>, event: &ContentLabelled<'_>) -> sqlx::Result<()> {
    publish(tx, CONTENT_LABELLED, event).await
}

/// Publishes `user_status_changed`.
pub async fn user_status_changed(tx: &mut PgTransaction<'_>, event: &UserStatusChanged) -> sqlx::Result<()> {
    publish(tx, USER_STATUS_CHANGED, event).await
}

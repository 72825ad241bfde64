//! What follows from a change of preferences: open streams count what is listed now, and the digest that waits comes at the hour that
//! is chosen now.
use chrono::{DateTime, Utc};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::Preferences;
use crate::digests::models::Digest;
use crate::notifications;

/// A user changed their preferences, which this transaction has saved.
pub async fn changed(
    tx: &mut PgTransaction<'_>,
    user: Uuid,
    preferences: &Preferences,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    // Before the digest, as who hands notifications over locks them.
    notifications::signals::listing_changed(tx, user).await?;
    Digest::reschedule(tx, user, preferences.next_digest(now)).await
}

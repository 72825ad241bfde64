//! Channels: what brings notifications to people who are not looking at the list.
use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::Notification;

/// A notification that a channel has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handed {
    pub id: Uuid,
    /// Whether the channel still has it at hand, and settles it later (`Notification::settle`).
    pub waits: bool,
    /// When it leaves at the earliest: the end of quiet hours, or now.
    pub at: DateTime<Utc>,
}

/// A channel, such as mail or push. It knows what a person prefers.
pub trait Outlet: Send + Sync + 'static {
    /// Writes what is to be sent, in this transaction; which notifications that are. What a person gets later with others, as in a
    /// digest, is not among them.
    fn hand_over<'a>(
        &'a self,
        tx: &'a mut PgTransaction<'static>,
        due: &'a [Notification],
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, sqlx::Result<Vec<Handed>>>;
}

//! Channels: what brings notifications to people who are not looking at the list.
use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::Notification;

/// What a channel does with a notification that its reader wants by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handling {
    /// It wrote what is to be sent, and is done.
    Taken,
    /// It has it at hand, and settles it later (`Notification::settle`).
    AtHand,
    /// It sends it later with others, as in a digest.
    Gathered,
    /// It took nothing, and is asked again at that time: the end of quiet hours, when it is news no more or has other words. Channels that
    /// hold the same notification back do so for the same hours, or one of them would get it twice.
    Held(DateTime<Utc>),
}

/// A notification, and what a channel does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handed {
    pub id: Uuid,
    pub handling: Handling,
}

/// A channel, such as mail or push. It knows what a person prefers.
pub trait Outlet: Send + Sync + 'static {
    /// Writes what is to be sent, in this transaction; what it does with each of the notifications that their readers want by it.
    fn hand_over<'a>(
        &'a self,
        tx: &'a mut PgTransaction<'static>,
        due: &'a [Notification],
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, sqlx::Result<Vec<Handed>>>;
}

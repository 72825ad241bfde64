//! What the service does when a person has left.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::doors::erasure;
use crate::core::events::{Effect, Event, Subscription};

/// The stream of the auth service about persons who have left.
const USER_DELETED: &str = "user_deleted";

/// A person who has left.
#[derive(Deserialize)]
struct DeletedUser {
    id: Uuid,
}

/// The stream that begins erasures.
pub fn subscriptions() -> Vec<Subscription> {
    vec![Subscription::new(USER_DELETED, user_deleted)]
}

/// Begins the erasure of what is held about people who have left.
fn user_deleted<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let people: Vec<DeletedUser> =
            events.iter().map(|event| serde_json::from_str(&event.message)).collect::<Result<_, _>>()?;
        Ok(erasure::begin(tx, &people.iter().map(|person| person.id).collect::<Vec<_>>()).await?)
    })
}

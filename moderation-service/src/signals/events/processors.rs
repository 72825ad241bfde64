//! Saves since when users have accounts.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event};
use crate::signals::models::save_people;

/// What is read of a new account.
#[derive(Deserialize)]
struct RegisteredUser {
    id: Uuid,
    created_at: Timestamp,
}

/// Saves when accounts were registered.
pub fn user_registered<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let users: Vec<RegisteredUser> =
            events.iter().map(|event| serde_json::from_str(&event.message)).collect::<Result<_, _>>()?;
        let people: Vec<_> = users.into_iter().map(|user| (user.id, user.created_at)).collect();
        Ok(save_people(tx, &people).await?)
    })
}

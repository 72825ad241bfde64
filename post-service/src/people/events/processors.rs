//! What the post service does when it hears of people.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::events::{Effect, Event};
use crate::core::{App, erasure};

/// Somebody who left.
#[derive(Deserialize)]
struct UserDeleted {
    id: Uuid,
}

/// Somebody left: nothing of theirs stays.
pub fn user_deleted<'a>(_: &'a App, tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let people: Vec<UserDeleted> =
            events.iter().map(|event| serde_json::from_str(&event.message)).collect::<Result<_, _>>()?;
        Ok(erasure::begin(tx, &people.iter().map(|person| person.id).collect::<Vec<_>>()).await?)
    })
}

//! What the interaction service does when it hears of people.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::events::{Effect, Event, Failure};
use crate::core::timestamp::Timestamp;
use crate::core::{App, erasure};
use crate::people::models::{Block, save_blocks};

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

/// Somebody and whom they blocked, or do not block any more.
#[derive(Deserialize)]
struct Link {
    user_id: Uuid,
    target_id: Uuid,
    at: Timestamp,
}

async fn note(tx: &mut PgTransaction<'static>, events: &[Event], stands: bool) -> Result<(), Failure> {
    let block = |event: &Event| {
        let Link { user_id, target_id, at } = serde_json::from_str(&event.message)?;
        Ok(Block { user_id, target_id, stands, at })
    };
    let blocks: Vec<Block> = events.iter().map(block).collect::<Result<_, serde_json::Error>>()?;
    Ok(save_blocks(tx, &blocks).await?)
}

/// Somebody wants nothing to do with somebody: they do not see each other any more.
pub fn user_blocked<'a>(_: &'a App, tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(note(tx, events, true))
}

/// They see each other again.
pub fn user_unblocked<'a>(_: &'a App, tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(note(tx, events, false))
}

//! Stores the beginnings and ends of connections.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::connections::models::Connection;
use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event, Failure};

/// The beginning or the end of a connection of `user_id` to `target_id`.
#[derive(Deserialize)]
struct ConnectionChanged {
    user_id: Uuid,
    target_id: Uuid,
    at: Timestamp,
}

/// Connects a user to a target.
pub fn user_connected<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(save_changes(tx, events, true))
}

/// Ends the connection of a user to a target.
pub fn user_disconnected<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(save_changes(tx, events, false))
}

async fn save_changes(tx: &mut PgTransaction<'static>, events: &[Event], active: bool) -> Result<(), Failure> {
    let connection = |event: &Event| {
        let ConnectionChanged { user_id, target_id, at } = serde_json::from_str(&event.message)?;
        Ok(Connection { user_id, target_id, active, at })
    };
    let connections: Vec<Connection> = events.iter().map(connection).collect::<Result<_, serde_json::Error>>()?;
    Ok(Connection::save(tx, &connections).await?)
}

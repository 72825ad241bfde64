//! A page of the auth service's list of connections.
use serde::Deserialize;
use uuid::Uuid;

use super::models::Connection;
use crate::core::contract::timestamp::Timestamp;

/// Connections in the order of their pairs.
#[derive(Deserialize)]
pub struct ConnectionPage {
    pub items: Vec<ConnectionRow>,
    /// The cursor of the next page; null: nothing is behind this one.
    pub next: Option<String>,
}

/// A connection that exists.
#[derive(Deserialize)]
pub struct ConnectionRow {
    user_id: Uuid,
    target_id: Uuid,
    at: Timestamp,
}

impl From<ConnectionRow> for Connection {
    fn from(row: ConnectionRow) -> Self {
        let ConnectionRow { user_id, target_id, at } = row;
        Self { user_id, target_id, active: true, at }
    }
}

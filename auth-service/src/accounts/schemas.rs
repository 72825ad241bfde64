//! Accounts in events.
use serde::Serialize;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;

/// The payload of `user_deleted`: what other services need to erase the data, and nothing personal.
#[derive(Serialize)]
pub struct UserDeleted {
    pub id: Uuid,
    pub deleted_at: Timestamp,
}

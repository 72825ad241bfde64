//! Accounts in events.
use serde::Serialize;
use uuid::Uuid;

use crate::core::timestamp::Timestamp;

/// Somebody who left, as other services hear of it: all that they need to erase, and nothing of the person
#[derive(Serialize)]
pub struct UserDeleted {
    pub id: Uuid,
    pub deleted_at: Timestamp,
}

//! Strikes in the API.
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::Strike;
use crate::core::contract::timestamp::Timestamp;
use crate::subjects::reasons::Reason;

/// The strikes of a user.
#[derive(Serialize, ToSchema)]
pub struct StrikesOut {
    pub user_id: Uuid,
    /// The weights of those that count, together; of several about one content the gravest counts
    pub sum: i32,
    /// The latest 200, newest first
    pub strikes: Vec<StrikeOut>,
}

/// A strike: a moderator has hidden or removed what the user wrote.
#[derive(Serialize, ToSchema)]
pub struct StrikeOut {
    /// The decision that it is of
    pub decision_id: Uuid,
    /// 1, 2 or 4, by the reason
    pub weight: i32,
    pub reason: Reason,
    pub at: Timestamp,
    /// Until when it counts
    pub expires_at: Timestamp,
    /// Since when it counts no longer, because the decision was taken back
    pub revoked_at: Option<Timestamp>,
}

impl From<Strike> for StrikeOut {
    fn from(strike: Strike) -> Self {
        Self {
            decision_id: strike.decision,
            weight: strike.weight,
            reason: strike.reason,
            at: strike.at,
            expires_at: strike.expires_at,
            revoked_at: strike.revoked_at,
        }
    }
}

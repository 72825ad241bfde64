//! Strikes in the API.
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::{Strike, SumCount};
use super::services::{Ladder, Rung};
use crate::core::contract::timestamp::Timestamp;
use crate::subjects::actions::Action;
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

/// How many users have how many strikes
#[derive(Serialize, ToSchema)]
pub struct StrikeHistogramOut {
    /// Users with strikes that count
    pub users: i64,
    /// By the sum of their strikes, the lowest first
    pub sums: Vec<StrikeSumOut>,
    /// The rungs of the ladder, with those who have reached each
    pub rungs: Vec<StrikeRungOut>,
}

/// The users with one sum
#[derive(Serialize, ToSchema)]
pub struct StrikeSumOut {
    pub sum: i32,
    pub users: i64,
}

/// A rung of the ladder
#[derive(Serialize, ToSchema)]
pub struct StrikeRungOut {
    /// From which sum on it is reached
    pub from: i32,
    /// What it leads to
    pub action: Action,
    /// Users whose strikes reach it now, whatever has followed when they did
    pub users: i64,
}

impl StrikeHistogramOut {
    /// The histogram of sums over the rungs of a ladder.
    pub fn new(ladder: &Ladder, sums: &[SumCount]) -> Self {
        let from =
            |least: i32| -> i64 { sums.iter().filter(|count| count.sum >= least).map(|count| count.authors).sum() };
        let rung = |rung: &Rung| StrikeRungOut { from: rung.from, action: rung.action.clone(), users: from(rung.from) };
        Self {
            users: from(0),
            sums: sums.iter().map(|count| StrikeSumOut { sum: count.sum, users: count.authors }).collect(),
            rungs: ladder.strike_ladder.iter().map(rung).collect(),
        }
    }
}

//! Connections in the API and in events.
use axum::http::StatusCode;
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::{Connection, ListedUser, Refusal};
use crate::core::api::errors::Error;
use crate::core::contract::timestamp::Timestamp;
use crate::profiles::models::Profile;
use crate::profiles::schemas::ProfileOut;
use crate::users::ACCOUNT_DELETED;

/// A user in a list of connections or followers
#[derive(Serialize, ToSchema)]
pub struct ConnectionOut {
    #[serde(flatten)]
    pub profile: ProfileOut,
    /// Since when
    pub connected_at: Timestamp,
}

impl ConnectionOut {
    /// A list as `viewer` sees it, on that day; both of the same people in the same order.
    pub fn list(listed: &[ListedUser], profiles: &[Profile], viewer: Uuid, today: NaiveDate) -> Vec<Self> {
        let people = listed.iter().zip(profiles);
        let shown = |(listed, profile): (&ListedUser, &Profile)| Self {
            profile: ProfileOut::new(profile, viewer, today),
            connected_at: listed.at,
        };
        people.map(shown).collect()
    }
}

/// The payload of the events of connections and blocks: what one user did to another one.
#[derive(Serialize)]
pub struct PairEvent {
    pub user_id: Uuid,
    pub target_id: Uuid,
    pub at: Timestamp,
}

impl From<Connection> for PairEvent {
    fn from(connection: Connection) -> Self {
        Self { user_id: connection.user_id, target_id: connection.target_id, at: connection.at }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoUser => ACCOUNT_DELETED,
            Refusal::NoTarget => Self::Refused(StatusCode::NOT_FOUND, "Target user not found"),
            Refusal::Blocked => Self::Refused(StatusCode::BAD_REQUEST, "You have blocked this user"),
            Refusal::TooMany => Self::Refused(StatusCode::BAD_REQUEST, "You have too many connections"),
        }
    }
}

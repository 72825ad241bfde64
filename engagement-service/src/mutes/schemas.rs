//! Mutes in the API.
use serde::Serialize;
use utoipa::ToSchema;

use super::models::Mute;
use crate::core::contract::timestamp::Timestamp;
use crate::people::schemas::PersonCard;

/// A user that the caller has muted
#[derive(Serialize, ToSchema)]
pub struct MuteOut {
    pub user: PersonCard,
    pub muted_at: Timestamp,
}

impl From<Mute> for MuteOut {
    fn from(mute: Mute) -> Self {
        Self {
            user: PersonCard {
                id: mute.target_id,
                username: mute.username,
                first_name: mute.first_name,
                last_name: mute.last_name,
                avatar_url: mute.avatar_url,
            },
            muted_at: mute.muted_at,
        }
    }
}

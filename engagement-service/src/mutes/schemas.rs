//! Mutes in the API.
use serde::Serialize;
use utoipa::ToSchema;

use super::models::Mute;
use crate::core::contract::timestamp::Timestamp;
use crate::people::schemas::PersonCard;

/// A user that the caller has muted
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({
    "user": { "id": "0199d0ac-3c9e-7a2e-8f3c-000000000001", "username": "ann", "first_name": "Ann", "last_name": null,
        "avatar_url": null },
    "muted_at": "2026-11-20T15:05:05.052839+00:00"
})))]
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

//! Pictures in the API.
use chrono::Utc;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::grants::{Grant, MediaUrls};
use super::models::Media;
use super::{MediaStatus, Purpose};
use crate::core::contract::fields::{Fields, Input};
use crate::core::contract::timestamp::Timestamp;

/// The longest description, in characters.
pub const MAX_ALT: usize = 1_500;

/// The description of a picture.
#[derive(ToSchema)]
#[schema(examples(json!({ "alt": "A red kite over a field of stubble" })))]
pub struct AltIn {
    /// What it shows, for those who do not see it; at most 1,500 characters
    #[schema(max_length = 1500)]
    pub alt: String,
}

impl Input for AltIn {
    fn read(fields: &mut Fields) -> Self {
        Self { alt: fields.text("alt", MAX_ALT) }
    }
}

/// A picture, as its owner sees it.
#[derive(Serialize, ToSchema)]
pub struct MediaOut {
    pub id: Uuid,
    pub created_at: Timestamp,
    pub purpose: Purpose,
    pub status: MediaStatus,
    /// Why it was refused: `NOT_READABLE`, `TOO_MANY_PIXELS`, `TOO_MUCH_MEMORY`, `TOO_SLOW` or `NOT_PROCESSED`
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// True while moderation hides it from all but its owner
    pub hidden: bool,
    /// Of the upload, found by its content
    pub content_type: String,
    /// Of the upload; they count towards the quota
    pub bytes: i64,
    pub alt: String,
    pub width: Option<i32>,
    pub height: Option<i32>,
    /// A few colours to show until it is loaded
    pub blurhash: Option<String>,
    /// Its address at 320 pixels, for the owner; good for an hour or two
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<String>,
    /// Its address at 1080 pixels
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medium: Option<String>,
    /// Its address as it was uploaded, of an animation
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original: Option<String>,
}

impl MediaOut {
    /// A picture with the addresses that its owner gets.
    pub fn new(media: Media, urls: &MediaUrls) -> Self {
        let now = Utc::now().timestamp().unsigned_abs();
        let has = |name: &str| media.renditions.iter().any(|one| one == name);
        let url = |name: &str| has(name).then(|| urls.sign(media.id, name, Grant::Owner, now));
        Self {
            id: media.id,
            created_at: media.created_at,
            purpose: media.purpose,
            status: media.status,
            hidden: media.hidden,
            bytes: media.bytes,
            width: media.width,
            height: media.height,
            thumbnail: url("thumbnail"),
            medium: url("medium"),
            original: url("original"),
            reason: media.reason,
            content_type: media.content_type,
            alt: media.alt,
            blurhash: media.blurhash,
        }
    }
}

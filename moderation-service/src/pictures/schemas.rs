//! The blocklist of pictures in the API.
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::BlockedPicture;
use super::services::{HASH_DIGITS, PerceptualHash};
use crate::core::contract::fields::{Fields, Input};
use crate::core::contract::timestamp::Timestamp;
use crate::subjects::reasons::Reason;

/// The longest note, in characters.
const MAX_NOTE: usize = 500;
/// The longest text that holds an id.
const ID: usize = 45;

/// A picture that is to be recognised
#[derive(ToSchema)]
#[schema(examples(json!({ "hash": "e1c3870f1e3c78f0", "reason": "SEXUAL_INTIMATE_IMAGE", "note": "Reported by the person it shows" })))]
pub struct BlockedPictureIn {
    /// The perceptual hash, 16 hexadecimal digits
    #[schema(value_type = String, required = false, min_length = 16, max_length = 16, pattern = "^[0-9a-fA-F]{16}$")]
    pub hash: Option<PerceptualHash>,
    /// In its place: a picture of the platform
    pub media_id: Option<Uuid>,
    /// What the decisions about its copies name
    pub reason: Reason,
    /// Why, for other administrators; at most 500 characters
    #[schema(max_length = 500)]
    pub note: Option<String>,
}

impl Input for BlockedPictureIn {
    fn read(fields: &mut Fields) -> Self {
        let errors = fields.errors.len();
        let hash = fields.optional_text("hash", HASH_DIGITS);
        let parsed = hash.as_deref().and_then(PerceptualHash::parse);
        if hash.is_some() && parsed.is_none() && fields.errors.len() == errors {
            fields.refuse("hash", "16 hexadecimal digits are expected", "value_error.hash", None);
        }
        let media = fields.optional_text("media_id", ID);
        let media_id = media.as_deref().and_then(|id| Uuid::parse_str(id).ok());
        if media.is_some() && media_id.is_none() && fields.errors.len() == errors {
            fields.refuse("media_id", "value is not a valid uuid", "type_error.uuid", None);
        }
        if hash.is_some() == media.is_some() && fields.errors.len() == errors {
            fields.refuse("hash", "give either hash or media_id", "value_error.choice", None);
        }
        let before = fields.errors.len();
        let reason = fields.choice("reason", &Reason::given_words(), Reason::parse_given);
        if reason.is_none() && fields.errors.len() == before {
            fields.refuse("reason", "field required", "value_error.missing", None);
        }
        let note = fields.optional_text("note", MAX_NOTE);
        Self { hash: parsed, media_id, reason: reason.unwrap_or(Reason::OtherRules), note }
    }
}

/// A picture whose copies are recognised
#[derive(Serialize, ToSchema)]
pub struct BlockedPictureOut {
    pub id: Uuid,
    /// The perceptual hash, 16 hexadecimal digits
    pub hash: String,
    pub reason: Reason,
    pub note: Option<String>,
    pub created_at: Timestamp,
    /// The administrator; null: the account was deleted
    pub created_by: Option<Uuid>,
}

impl From<BlockedPicture> for BlockedPictureOut {
    fn from(blocked: BlockedPicture) -> Self {
        Self {
            id: blocked.id,
            hash: PerceptualHash(blocked.hash).text(),
            reason: blocked.reason,
            note: blocked.note,
            created_at: blocked.created_at,
            created_by: blocked.created_by,
        }
    }
}

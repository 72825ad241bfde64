//! The pictures of profiles in the API.
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::core::contract::fields::{Fields, Input};
use crate::media::Purpose;

/// The choice of a picture.
#[derive(ToSchema)]
#[schema(examples(json!({ "media_id": "0199c0de-0000-7000-8000-000000000000" })))]
pub struct PictureChoice {
    /// An own picture that was uploaded for this and is READY
    pub media_id: Uuid,
}

impl Input for PictureChoice {
    fn read(fields: &mut Fields) -> Self {
        let text = fields.text("media_id", 64);
        let id = Uuid::try_parse(&text);
        if id.is_err() && !text.is_empty() {
            fields.refuse("media_id", "value is not a valid uuid", "type_error.uuid", None);
        }
        if text.is_empty() && fields.errors.is_empty() {
            fields.refuse("media_id", "value is not a valid uuid", "type_error.uuid", None);
        }
        Self { media_id: id.unwrap_or_default() }
    }
}

/// The picture that a profile shows.
#[derive(Serialize, ToSchema)]
pub struct PictureOut {
    pub purpose: Purpose,
    pub media_id: Uuid,
    /// Its address, without an end as long as the profile shows it
    pub url: String,
}

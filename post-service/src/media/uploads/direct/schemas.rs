//! Direct uploads in the API.
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::core::contract::fields::{Fields, Input};
use crate::core::contract::timestamp::Timestamp;
use crate::media::Purpose;
use crate::media::schemas::MAX_ALT;

/// A picture that its owner will write into the store.
#[derive(ToSchema)]
#[schema(examples(json!({ "purpose": "POST", "bytes": 482_113, "alt": "A red kite over a field of stubble" })))]
pub struct DirectUploadIn {
    /// What it is for
    pub purpose: Purpose,
    /// The size of the file, at most `MEDIA_MAX_BYTES` (10 MiB)
    #[schema(minimum = 1)]
    pub bytes: i64,
    /// What it shows, for those who do not see it; at most 1,500 characters
    #[schema(max_length = 1500, required = false, nullable)]
    pub alt: String,
}

impl Input for DirectUploadIn {
    fn read(fields: &mut Fields) -> Self {
        let purpose = fields.choice("purpose", &Purpose::WORDS, Purpose::parse);
        let alt = fields.optional_text("alt", MAX_ALT).unwrap_or_default();
        let bytes = fields.value("bytes");
        if purpose.is_none() && fields.errors.is_empty() {
            fields.refuse("purpose", "field required", "value_error.missing", None);
        }
        let number = bytes.as_ref().and_then(|bytes| bytes.as_i64().or_else(|| bytes.as_str()?.trim().parse().ok()));
        match (bytes, number) {
            (None, _) => fields.refuse("bytes", "field required", "value_error.missing", None),
            (_, None) => fields.refuse("bytes", "value is not a valid integer", "type_error.integer", None),
            (_, Some(1..)) => {}
            (_, Some(_)) => {
                let msg = "ensure this value is greater than or equal to 1";
                fields.refuse("bytes", msg, "value_error.number.not_ge", Some(json!({ "limit_value": 1 })));
            }
        }
        Self { purpose: purpose.unwrap_or(Purpose::Post), bytes: number.unwrap_or_default(), alt }
    }
}

/// Where to write a file, and how.
#[derive(Serialize, ToSchema)]
pub struct DirectUploadOut {
    /// That of the picture, once the upload is completed
    pub id: Uuid,
    /// Where the file is written; it holds the right to do so, and belongs in no log
    pub url: String,
    /// `PUT`
    pub method: &'static str,
    /// The headers of that request: exactly these values are signed
    pub headers: BTreeMap<&'static str, &'static str>,
    /// Until when the address is good
    pub expires_at: Timestamp,
}

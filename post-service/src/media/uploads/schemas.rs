//! Uploads in the API.
use utoipa::ToSchema;

use crate::core::contract::fields::{Fields, Input};
use crate::media::Purpose;
use crate::media::schemas::MAX_ALT;

/// A form with a picture.
#[derive(ToSchema)]
#[schema(examples(json!({ "purpose": "POST", "alt": "A red kite over a field of stubble", "file": "…" })))]
pub struct UploadForm {
    /// A JPEG, PNG, WebP or GIF of at most `MEDIA_MAX_BYTES` (10 MiB); what it is, its content says
    #[schema(value_type = String, format = Binary)]
    #[expect(dead_code, reason = "the file is streamed; here it is described")]
    pub file: (),
    /// What it is for
    pub purpose: Purpose,
    /// What it shows, for those who do not see it; at most 1,500 characters
    #[schema(max_length = 1500, required = false)]
    pub alt: String,
}

impl Input for UploadForm {
    fn read(fields: &mut Fields) -> Self {
        let purpose = fields.choice("purpose", &Purpose::WORDS, Purpose::parse);
        let alt = fields.optional_text("alt", MAX_ALT).unwrap_or_default();
        if purpose.is_none() && fields.errors.is_empty() {
            fields.refuse("purpose", "field required", "value_error.missing", None);
        }
        Self { file: (), purpose: purpose.unwrap_or(Purpose::Post), alt }
    }
}

//! What is said about a picture.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The signals of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PictureSignals {
    /// The entry of the blocklist that it is taken for; null: none.
    pub blocked: Option<RecognisedPicture>,
    /// How likely it shows nudity, 0 to 1, as the image model says; absent: none has looked at it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false, minimum = 0, maximum = 1)]
    pub nudity: Option<f64>,
}

/// An entry of the blocklist that a picture is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecognisedPicture {
    /// The entry of the blocklist
    pub entry: Uuid,
    /// In how many of 64 bits the perceptual hashes differ
    pub distance: i64,
}

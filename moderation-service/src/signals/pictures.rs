//! What is said about a picture.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The signals of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PictureSignals {
    /// The entry of the blocklist that it is taken for; null: none.
    pub blocked: Option<RecognisedPicture>,
}

/// An entry of the blocklist that a picture is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecognisedPicture {
    /// The entry of the blocklist
    pub entry: Uuid,
    /// In how many of 64 bits the perceptual hashes differ
    pub distance: i64,
}

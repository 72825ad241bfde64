//! What is known about a content beside its text.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the database knows around a text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Surroundings {
    /// Near-duplicates by any author within the window, as far as they are counted.
    pub duplicates: i64,
    /// The authors of near-duplicates beside this one.
    pub duplicate_authors: i64,
    /// Contents of the author in the ten minutes up to this one.
    pub velocity: i64,
    /// The age of the author's account when this was written, in hours; null when its registration was never consumed.
    pub account_age_hours: Option<f64>,
    /// Whether a moderator wanted to see what the author published then before others did. Analyses of before there was that do not say.
    #[serde(default)]
    pub approval_required: bool,
}

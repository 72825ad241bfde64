//! Suggestions in the API.
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::services::Suggestion;
use crate::profiles::models::Profile;
use crate::profiles::schemas::ProfileOut;

/// A user that the caller may want to be connected to
#[derive(Serialize, ToSchema)]
pub struct SuggestionOut {
    #[serde(flatten)]
    pub profile: ProfileOut,
    /// Why
    #[schema(examples("3 mutual connections"))]
    pub reason: String,
    /// How many of the caller's connections are connected to them
    pub mutual_connections: i64,
    /// Interests of both
    pub shared_interests: Vec<String>,
}

impl SuggestionOut {
    /// The list as `viewer` sees it, on that day; both of the same people in the same order.
    pub fn list(suggestions: Vec<Suggestion>, profiles: &[Profile], viewer: Uuid, today: NaiveDate) -> Vec<Self> {
        let shown = |(suggestion, profile): (Suggestion, &Profile)| Self {
            profile: ProfileOut::new(profile, viewer, today),
            reason: suggestion.reason(),
            mutual_connections: suggestion.common,
            shared_interests: suggestion.shared_interests,
        };
        suggestions.into_iter().zip(profiles).map(shown).collect()
    }
}

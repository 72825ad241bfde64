//! What a moderator looks for in the queue.
use utoipa::ToSchema;

use crate::subjects::SubjectType;

/// Who brought an item into the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FlaggedBy {
    /// A policy over the analysis
    Machine,
    /// Users who reported it
    People,
}

/// Which items are asked for; what is not given matches all.
#[derive(Clone, Debug, Default, PartialEq, ToSchema)]
pub struct QueueFilter {
    #[schema(inline)]
    pub r#type: Option<SubjectType>,
    /// The family that an item stands in, by its word
    #[schema(value_type = Option<String>)]
    pub family: Option<&'static str>,
    /// A code of the taxonomy that it was reported or flagged for
    #[schema(value_type = Option<String>)]
    pub reason: Option<&'static str>,
    /// From which severity on, 0 to 1
    #[schema(minimum = 0, maximum = 1)]
    pub min_severity: Option<f64>,
    /// Items that were escalated, or those that were not, which is the default of claims
    pub escalated: Option<bool>,
    #[schema(inline)]
    pub flagged_by: Option<FlaggedBy>,
}

impl FlaggedBy {
    /// All of them, by their words.
    pub const ALL: [(&'static str, Self); 2] = [("MACHINE", Self::Machine), ("PEOPLE", Self::People)];

    /// The one with that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == word).map(|(_, by)| *by)
    }
}

//! What a moderator looks for in the queue.
use utoipa::ToSchema;

use crate::subjects::SubjectType;
use crate::subjects::reasons::{Family, Reason};

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
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueueFilter {
    pub r#type: Option<SubjectType>,
    /// Codes of the taxonomy, of which an item has at least one.
    pub reasons: Option<Vec<String>>,
    pub min_severity: Option<f64>,
    pub escalated: Option<bool>,
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

/// The families of reasons, by which the queue is shared out among teams.
pub const FAMILIES: [(&str, Family); 9] = [
    ("VIOLENCE", Family::Violence),
    ("SEXUAL", Family::Sexual),
    ("CHILD_SAFETY", Family::ChildSafety),
    ("HARASSMENT", Family::Harassment),
    ("HATE", Family::Hate),
    ("MISLEADING", Family::Misleading),
    ("SPAM", Family::Spam),
    ("SELF_HARM", Family::SelfHarm),
    ("OTHER", Family::Other),
];

/// The codes of a family; none when there is no such family.
pub fn reasons_of(family: &str) -> Option<Vec<String>> {
    let (_, family) = FAMILIES.iter().find(|(word, _)| *word == family)?;
    let of_family = Reason::ALL.iter().filter(|(_, reason)| reason.family() == *family);
    Some(of_family.map(|(word, _)| (*word).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_in_one_family_that_can_be_asked_for() {
        let mut all: Vec<String> = FAMILIES.iter().flat_map(|(word, _)| reasons_of(word).unwrap()).collect();
        all.sort_unstable();
        let mut known: Vec<String> = Reason::ALL.iter().map(|(word, _)| (*word).to_owned()).collect();
        known.sort_unstable();
        assert_eq!(all, known);
        assert_eq!(reasons_of("NOISE"), None);
        assert!(FAMILIES.iter().all(|(word, family)| serde_json::json!(family) == *word));
    }
}

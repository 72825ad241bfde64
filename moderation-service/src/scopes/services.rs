//! What is in a scope.
use super::models::ModeratorScope;
use crate::subjects::SubjectType;

/// What of the queue a member of staff works on.
#[derive(Clone, Debug, PartialEq)]
pub struct ScopeFilter {
    /// Kinds of subjects; none: all.
    pub types: Option<Vec<String>>,
    /// Families of reasons; none: all.
    pub families: Option<Vec<String>>,
    /// Whether also what was escalated.
    pub escalated: bool,
}

impl ScopeFilter {
    /// All of it.
    pub const ALL: Self = Self { types: None, families: None, escalated: true };

    /// Whether a subject is in it. What is in no family is for all families.
    pub fn admits(&self, kind: SubjectType, family: Option<&str>, is_escalated: bool) -> bool {
        let has = |words: &Option<Vec<String>>, wanted: &str| {
            words.as_ref().is_none_or(|words| words.iter().any(|word| word == wanted))
        };
        has(&self.types, kind.word())
            && family.is_none_or(|family| has(&self.families, family))
            && (self.escalated || !is_escalated)
    }
}

impl From<ModeratorScope> for ScopeFilter {
    fn from(scope: ModeratorScope) -> Self {
        let some = |words: Vec<String>| Some(words).filter(|words| !words.is_empty());
        Self { types: some(scope.types), families: some(scope.families), escalated: scope.escalated }
    }
}

//! What of moderation is public, and which decision is which label.
use clap::{Args, ValueEnum};

use crate::subjects::actions::Action;
use crate::subjects::changes::Ended;
use crate::subjects::reasons::{Family, Reason};

/// Whether each decision is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PublicLog {
    /// Each decision can be read by all, without the subject, its author and the moderator's name
    On,
    Off,
}

/// What is published.
#[derive(Args, Clone, Debug)]
pub struct StatsSettings {
    /// Whether the log of decisions is public: what was done and why, and a pseudonym of each moderator; never about which content
    #[arg(long, env = "PUBLIC_LOG", value_enum, default_value_t = PublicLog::Off)]
    pub public_log: PublicLog,
}

/// The label of a text that says that nothing is wrong with it.
pub const CLEAN: &str = "clean";

/// The labels that a decision gives its text, as the heads of the text model are called; none where it says nothing about the
/// words, as about misleading content. What was taken back was nothing.
pub fn labels(actions: &[Action], reason: Reason, ended: Option<Ended>) -> Option<&'static str> {
    if actions == [Action::Lock] {
        // That is about what others have written under it.
        return None;
    }
    let restricts = actions.iter().any(|action| action.is_about_content() || action.is_about_author());
    if !restricts || ended.is_some_and(Ended::is_taken_back) {
        return Some(CLEAN);
    }
    match (reason, reason.family()) {
        (Reason::HateSexism, _) => Some("toxic,sexism"),
        (Reason::ViolenceThreat, _) => Some("toxic,threat"),
        (Reason::HarassmentDoxxing, _) => None,
        (_, Family::Hate) => Some("toxic,hate"),
        (_, Family::Harassment) => Some("toxic"),
        (_, Family::Spam) => Some("spam"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_a_label_where_its_reason_is_one_of_words() {
        let hidden = |reason| labels(&[Action::Hide], reason, None);
        assert_eq!(hidden(Reason::HateRacism), Some("toxic,hate"));
        assert_eq!(hidden(Reason::HateSexism), Some("toxic,sexism"));
        assert_eq!(hidden(Reason::ViolenceThreat), Some("toxic,threat"));
        assert_eq!(hidden(Reason::SpamLink), Some("spam"));
        assert_eq!(hidden(Reason::MisleadingHealth), None);
        assert_eq!(labels(&[Action::Lock], Reason::HateRacism, None), None);
        assert_eq!(labels(&[Action::Allow], Reason::HateRacism, None), Some(CLEAN));
        assert_eq!(labels(&[Action::Hide], Reason::HateRacism, Some(Ended::Overturned)), Some(CLEAN));
        assert_eq!(labels(&[Action::Hide], Reason::HateRacism, Some(Ended::Expired)), Some("toxic,hate"));
    }
}

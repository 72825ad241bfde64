//! How urgent an appeal is.
use crate::decisions::models::Decision;
use crate::subjects::actions::Action;

/// How much a decision takes from its author: 4 the account, 2 the voice or the content, 1 anything else.
pub fn urgency(decision: &Decision) -> f64 {
    let weigh = |action: &Action| match action {
        Action::Ban { .. } => 4.0,
        Action::Mute { .. } | Action::RequireApproval { .. } | Action::Hold | Action::Hide | Action::Remove => 2.0,
        _ => 1.0,
    };
    decision.actions.iter().map(weigh).fold(1.0, f64::max)
}

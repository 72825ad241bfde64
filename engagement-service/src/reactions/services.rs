//! Which of several versions of a reaction is stored, and what that makes of the count.
use super::models::ReactionCard;

/// What is stored after one more version has come, in whatever order they come.
pub fn merge(known: Option<ReactionCard>, received: ReactionCard) -> ReactionCard {
    match known {
        Some(known) if known.deleted => known,
        Some(known) if !received.deleted && known.version > received.version => known,
        _ => received,
    }
}

/// How many reactions it counts as: none when it was taken back.
pub fn counted(reaction: &ReactionCard) -> i64 {
    i64::from(!reaction.deleted)
}

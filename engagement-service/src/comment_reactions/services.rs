//! Which of several versions of a reaction to a comment is stored.
use super::models::CommentReactionCard;

/// What is stored after one more version has come, in whatever order they come.
pub fn merge(known: Option<CommentReactionCard>, received: CommentReactionCard) -> CommentReactionCard {
    match known {
        Some(known) if known.deleted => known,
        Some(known) if !received.deleted && known.version > received.version => known,
        _ => received,
    }
}

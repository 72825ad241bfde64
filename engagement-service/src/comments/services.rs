//! Which of several versions of a comment is stored, and what that makes of the count.
use super::models::CommentCard;

/// What is stored after one more version has come, in whatever order they come.
pub fn merge(known: Option<CommentCard>, received: CommentCard) -> CommentCard {
    match known {
        Some(known) if known.deleted => known,
        Some(known) if !received.deleted && known.version > received.version => known,
        // A copied row does not say what a consumed version did.
        Some(known) if known.version == received.version && received.mentions.is_none() => {
            CommentCard { mentions: known.mentions, ..received }
        }
        _ => received,
    }
}

/// How many comments it counts as: one that others can see.
pub fn counted(comment: &CommentCard) -> i64 {
    i64::from(!comment.deleted && !comment.hidden)
}

//! Consumes the events of reactions to comments.
use super::processors as on;
use super::{COMMENT_REACTION_CREATED, COMMENT_REACTION_DELETED, COMMENT_REACTION_UPDATED};
use crate::core::events::Subscription;

/// The streams, and what processes their events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![
        Subscription::new(COMMENT_REACTION_CREATED, on::comment_reaction_changed),
        Subscription::new(COMMENT_REACTION_UPDATED, on::comment_reaction_changed),
        Subscription::new(COMMENT_REACTION_DELETED, on::comment_reaction_deleted),
    ]
}

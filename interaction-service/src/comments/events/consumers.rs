//! Consumes moderation's requests to delete comments.
use super::COMMENT_DELETE_REQUESTED;
use super::processors as on;
use crate::core::events::Subscription;

/// The streams, and what processes their events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![Subscription::new(COMMENT_DELETE_REQUESTED, on::comment_delete_requested)]
}

//! Consumes the events of comments.
use super::processors as on;
use super::{COMMENT_CREATED, COMMENT_DELETED, COMMENT_UPDATED};
use crate::core::events::Subscription;

/// The streams, and what processes their events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![
        Subscription::new(COMMENT_CREATED, on::comment_changed),
        Subscription::new(COMMENT_UPDATED, on::comment_changed),
        Subscription::new(COMMENT_DELETED, on::comment_deleted),
    ]
}

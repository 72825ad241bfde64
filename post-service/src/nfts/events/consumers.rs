//! Consumes the events that NFTs of comments depend on. Those of posts are changed with the posts.
use super::processors as on;
use super::{COMMENT_CREATED, COMMENT_DELETED, HIDDEN_COMMENT_DELETED};
use crate::core::events::Subscription;

/// The streams, and what processes their events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![
        Subscription::new(COMMENT_CREATED, on::comment_created),
        Subscription::new(COMMENT_DELETED, on::comment_deleted),
        Subscription::new(HIDDEN_COMMENT_DELETED, on::hidden_comment_deleted),
    ]
}

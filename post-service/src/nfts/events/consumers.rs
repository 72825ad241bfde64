//! Consumes the events that NFTs of comments depend on. Those of posts are changed with the posts.
use super::COMMENT_DELETED;
use super::processors::comment_deleted;
use crate::core::events::Subscription;

/// The streams, and what processes their events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![Subscription::new(COMMENT_DELETED, comment_deleted)]
}

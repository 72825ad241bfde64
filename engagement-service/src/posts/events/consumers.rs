//! Consumes the events of posts.
use super::processors as on;
use super::{POST_CREATED, POST_DELETED, POST_UPDATED, POST_VIEWED};
use crate::core::events::Subscription;

/// The streams, and what processes their events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![
        Subscription::new(POST_CREATED, on::post_changed),
        Subscription::new(POST_UPDATED, on::post_changed),
        Subscription::new(POST_DELETED, on::post_deleted),
        Subscription::new(POST_VIEWED, on::post_viewed),
    ]
}

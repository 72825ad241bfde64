//! Consumes the events of posts.
use super::processors as on;
use super::{POST_CREATED, POST_DELETED, POST_UPDATED};
use crate::core::events::Subscription;

/// The streams, and what processes their events.
#[rustfmt::skip]
pub fn subscriptions() -> Vec<Subscription> {
    vec![
        Subscription::new(POST_CREATED, on::post_changed),
        Subscription::new(POST_UPDATED, on::post_changed),
        Subscription::new(POST_DELETED, on::post_deleted),
    ]
}

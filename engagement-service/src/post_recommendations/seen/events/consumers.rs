//! Consumes views of posts.
use super::processors as on;
use crate::core::events::Subscription;
use crate::posts::events::POST_VIEWED;

/// The stream, and what processes its events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![Subscription::new(POST_VIEWED, on::post_viewed)]
}

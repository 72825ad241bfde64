//! Consumes what moderation decides about posts.
use super::processors as on;
use super::{CONTENT_LABELLED, MODERATION_DECIDED};
use crate::core::events::Subscription;

/// The streams, and what processes their events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![
        Subscription::new(MODERATION_DECIDED, on::moderation_decided),
        Subscription::new(CONTENT_LABELLED, on::content_labelled),
    ]
}

//! Consumes the events of reactions.
use super::processors as on;
use super::{REACTION_CREATED, REACTION_DELETED, REACTION_UPDATED};
use crate::core::events::Subscription;

/// The streams, and what processes their events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![
        Subscription::new(REACTION_CREATED, on::reaction_changed),
        Subscription::new(REACTION_UPDATED, on::reaction_changed),
        Subscription::new(REACTION_DELETED, on::reaction_deleted),
    ]
}

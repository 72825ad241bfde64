//! Consumes what moderation decides about accounts.
use super::USER_STATUS_CHANGED;
use super::processors as on;
use crate::core::events::Subscription;

/// The stream, and what processes its events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![Subscription::new(USER_STATUS_CHANGED, on::user_status_changed)]
}

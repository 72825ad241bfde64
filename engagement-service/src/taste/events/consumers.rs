//! Consumes the events of linked accounts.
use super::LINKED_ACCOUNT_CHANGED;
use super::processors as on;
use crate::core::events::Subscription;

/// The stream, and what processes its events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![Subscription::new(LINKED_ACCOUNT_CHANGED, on::linked_account_changed)]
}

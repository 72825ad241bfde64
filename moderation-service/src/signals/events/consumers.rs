//! Consumes the registrations of users.
use super::USER_REGISTERED;
use super::processors::user_registered;
use crate::core::events::Subscription;

/// The streams, and what processes their events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![Subscription::new(USER_REGISTERED, user_registered)]
}

//! Consumes the events of people.
use super::processors as on;
use super::{USER_REGISTERED, USER_UPDATED};
use crate::core::events::Subscription;

/// The streams, and what processes their events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![Subscription::new(USER_REGISTERED, on::user_changed), Subscription::new(USER_UPDATED, on::user_changed)]
}

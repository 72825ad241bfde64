//! Consumes the events of connections.
use super::processors as on;
use super::{USER_CONNECTED, USER_DISCONNECTED};
use crate::core::events::Subscription;

/// The streams, and what processes their events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![
        Subscription::new(USER_CONNECTED, on::user_connected),
        Subscription::new(USER_DISCONNECTED, on::user_disconnected),
    ]
}

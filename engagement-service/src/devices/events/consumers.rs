//! Consumes the ends of sessions.
use super::SESSION_REVOKED;
use super::processors as on;
use crate::core::events::Subscription;

/// The stream, and what processes its events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![Subscription::new(SESSION_REVOKED, on::session_revoked)]
}

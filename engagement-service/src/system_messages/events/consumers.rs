//! Consumes the notices of moderation.
use super::MODERATION_NOTICE;
use super::processors as on;
use crate::core::events::Subscription;

/// The stream, and what processes its events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![Subscription::new(MODERATION_NOTICE, on::moderation_notice)]
}

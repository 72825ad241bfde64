//! Consumes which pictures people have chosen.
use super::PROFILE_PICTURE_CHANGED;
use super::processors as on;
use crate::core::events::Subscription;

/// The stream, and what processes its events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![Subscription::new(PROFILE_PICTURE_CHANGED, on::profile_picture_changed)]
}

//! Consumes the events of pictures.
use super::MEDIA_READY;
use super::processors::PictureProcessor;
use crate::core::events::Subscription;
use crate::pictures::services::PictureSettings;

/// The stream, and what processes its events.
pub fn subscriptions(settings: PictureSettings) -> Vec<Subscription> {
    vec![Subscription::new(MEDIA_READY, PictureProcessor { settings })]
}

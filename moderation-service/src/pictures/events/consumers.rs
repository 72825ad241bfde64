//! Consumes the events of pictures.
use super::processors::{PictureProcessor, picture_deleted};
use super::{MEDIA_DELETED, MEDIA_READY};
use crate::core::events::Subscription;
use crate::pictures::services::PictureSettings;

/// The streams, and what processes their events.
pub fn subscriptions(settings: PictureSettings) -> Vec<Subscription> {
    vec![
        Subscription::new(MEDIA_READY, PictureProcessor { settings }),
        Subscription::new(MEDIA_DELETED, picture_deleted),
    ]
}

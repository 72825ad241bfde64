//! The events about subjects.
pub mod producers;

pub const MODERATION_DECIDED: &str = "moderation_decided";
pub const CONTENT_LABELLED: &str = "content_labelled";
pub const USER_STATUS_CHANGED: &str = "user_status_changed";

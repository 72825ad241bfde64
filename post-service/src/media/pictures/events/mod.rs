//! The events of the pictures of profiles.
pub mod producers;

pub const PROFILE_PICTURE_CHANGED: &str = "profile_picture_changed";

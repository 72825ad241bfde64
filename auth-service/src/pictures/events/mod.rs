//! The events of the post service about pictures of profiles.
pub mod consumers;
mod processors;

pub const PROFILE_PICTURE_CHANGED: &str = "profile_picture_changed";

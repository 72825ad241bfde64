//! The events that pictures publish.
pub mod producers;

pub const MEDIA_READY: &str = "media_ready";
pub const MEDIA_DELETED: &str = "media_deleted";

//! The events that pictures publish.
pub mod producers;

pub const MEDIA_READY: &str = "media_ready";

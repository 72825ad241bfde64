//! The events about pictures that are consumed.
pub mod consumers;
mod processors;

pub const MEDIA_READY: &str = "media_ready";
pub const MEDIA_DELETED: &str = "media_deleted";

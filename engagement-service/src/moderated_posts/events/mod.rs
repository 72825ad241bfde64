//! The events of moderation after which feeds change.
pub mod consumers;
mod processors;

pub const MODERATION_DECIDED: &str = "moderation_decided";
pub const CONTENT_LABELLED: &str = "content_labelled";

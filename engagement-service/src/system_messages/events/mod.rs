//! The event by which moderation has something to say to a user.
pub mod consumers;
mod processors;

pub const MODERATION_NOTICE: &str = "moderation_notice";

//! The events of moderation that change the status of accounts.
pub mod consumers;
mod processors;

pub const USER_STATUS_CHANGED: &str = "user_status_changed";

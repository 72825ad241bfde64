//! The events that signals consume.
pub mod consumers;
mod processors;

pub const USER_REGISTERED: &str = "user_registered";

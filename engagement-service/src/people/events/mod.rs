//! The events of people that this service consumes.
pub mod consumers;
mod processors;

pub const USER_REGISTERED: &str = "user_registered";
pub const USER_UPDATED: &str = "user_updated";

//! What analyses do about the events of posts, comments and profiles.
pub mod consumers;
mod processors;

pub const USER_UPDATED: &str = "user_updated";

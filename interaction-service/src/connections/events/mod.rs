//! The events of connections that the interaction service consumes.
pub mod consumers;
mod processors;

pub const USER_CONNECTED: &str = "user_connected";
pub const USER_DISCONNECTED: &str = "user_disconnected";

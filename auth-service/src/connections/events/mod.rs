//! The names of the events that connections tell.
pub mod producers;

pub const USER_CONNECTED: &str = "user_connected";
pub const USER_DISCONNECTED: &str = "user_disconnected";

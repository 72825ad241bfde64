//! The events that connections and blocks publish.
pub mod producers;

pub const USER_CONNECTED: &str = "user_connected";
pub const USER_DISCONNECTED: &str = "user_disconnected";
pub const USER_BLOCKED: &str = "user_blocked";
pub const USER_UNBLOCKED: &str = "user_unblocked";

//! The names of the events that blocks tell.
pub mod producers;

pub const USER_BLOCKED: &str = "user_blocked";
pub const USER_UNBLOCKED: &str = "user_unblocked";

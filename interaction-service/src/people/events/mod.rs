//! The names of the events of people that the interaction service tells and hears.
pub mod consumers;
mod processors;
pub mod producers;

pub const USER_ERASED: &str = "interaction_user_erased";

pub const USER_DELETED: &str = "user_deleted";
pub const USER_BLOCKED: &str = "user_blocked";
pub const USER_UNBLOCKED: &str = "user_unblocked";

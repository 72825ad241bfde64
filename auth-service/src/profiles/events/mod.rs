//! The names of the events that profiles tell.
pub mod producers;

pub const USER_UPDATED: &str = "user_updated";

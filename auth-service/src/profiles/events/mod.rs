//! The events that profiles publish.
pub mod producers;

pub const USER_UPDATED: &str = "user_updated";

//! The names of the events that the auth service tells.
pub mod producers;

pub const USER_REGISTERED: &str = "user_registered";

/// What the auth service, and nobody else, tells.
pub const TELLS: &[&str] = &[USER_REGISTERED];

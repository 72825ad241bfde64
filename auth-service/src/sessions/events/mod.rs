//! The names of the events that tell of sessions.
pub mod producers;

pub const SESSION_REVOKED: &str = "session_revoked";

//! The events that sessions publish.
pub mod producers;

pub const SESSION_REVOKED: &str = "session_revoked";

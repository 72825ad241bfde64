//! The event that devices consume: a session has ended, and what was registered in it gets nothing more.
pub mod consumers;
mod processors;

pub const SESSION_REVOKED: &str = "session_revoked";

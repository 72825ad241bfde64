//! The events of linked accounts that this service consumes.
pub mod consumers;
mod processors;

pub const LINKED_ACCOUNT_CHANGED: &str = "linked_account_changed";

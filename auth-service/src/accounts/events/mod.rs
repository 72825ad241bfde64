//! The events that accounts publish.
pub mod producers;

pub const USER_REGISTERED: &str = "user_registered";
pub const USER_DELETED: &str = "user_deleted";
pub const LINKED_ACCOUNT_CHANGED: &str = "linked_account_changed";

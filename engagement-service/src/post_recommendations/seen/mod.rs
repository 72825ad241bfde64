//! What people have seen: a post that was opened is recommended to its reader no more.
pub mod events;
pub mod models;

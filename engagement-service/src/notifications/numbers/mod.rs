//! The numbers of a reader's changes: whatever changes notifications locks their reader, and gives each change the next number.
pub mod models;

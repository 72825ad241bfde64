//! Who is looked at next: those who were active, for their list, and those whose account changed, for the notifications that name them.
pub mod models;

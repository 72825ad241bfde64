//! Withheld notifications: those about a post that is not to be seen now, as a draft, an archived, a hidden or a deleted one.
pub mod models;

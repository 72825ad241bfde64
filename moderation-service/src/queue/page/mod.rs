//! The page of a subject: what it says, what happened to it, and what is known of its author.
pub mod models;

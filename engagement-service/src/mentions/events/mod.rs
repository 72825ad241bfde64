//! The events from which mentions follow: those of posts and comments, whose features have applied them before.
pub mod consumers;
mod processors;

//! Moderation's decisions about pictures: the newest holds, in whatever order they are consumed.
pub mod models;
pub mod signals;

//! Dropped feeds: the authors that a user reads have changed, so that the feed is taken out of Redis, and the next read builds it.
pub mod models;
pub mod schedulers;

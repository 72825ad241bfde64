//! Dropped feeds: whom a user reads has changed, so that their feed is taken out of Redis, and their next read builds it.
pub mod models;

//! The way of notifications to their channels: what is due, what channels have at hand, and what they hold back.
pub mod models;

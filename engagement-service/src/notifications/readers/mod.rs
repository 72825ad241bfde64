//! The readers whose notifications a change may concern: they are locked before anything about them is read.
pub mod models;

//! The events that reports publish.
pub mod producers;

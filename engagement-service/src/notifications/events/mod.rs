//! The events from which notifications follow: those of the read model, whose features have applied them before, and new levels.
pub mod consumers;
mod processors;

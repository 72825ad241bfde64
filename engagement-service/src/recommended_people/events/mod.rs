//! The events after which recommendations are computed anew; they belong to other features.
pub mod consumers;
mod processors;

//! The events after which feeds change. Their rows are written by the features before this one, in the same transaction.
pub mod consumers;
mod processors;

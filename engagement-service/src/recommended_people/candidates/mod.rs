//! Candidates: who may be recommended to a batch of people, read from the graph and from what they share.
pub mod models;

//! Candidates: the posts that may be recommended to a reader, each with what speaks for it. Every source is bounded, so that the cost
//! of a list does not depend on how much a reader did or how many people they are connected to.
pub mod models;

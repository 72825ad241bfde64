//! Matching: who listens to the same, of those who share that.
//!
//! Candidates come from the inverted index: for each of a person's weightiest tracks and artists the people next to them by id
//! who have it too, so that an item that everyone has leads to different people and costs no more than a rare one. The
//! candidates with most in common are compared exactly, and the best are kept. So a person costs the same on a platform of
//! any size.
pub mod models;

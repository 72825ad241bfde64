//! A second text model in shadow: it reads what the first one has read, and nothing follows from it.
//!
//! So a new model is judged by the texts of the platform before it decides about any. A worker of its own follows the analyses, some
//! seconds behind, reads a share of their texts with the second model and stores its scores beside them, with what the policies
//! would have made of these. The first model never waits for it: the worker has a thread of its own, and its queue is the table of
//! analyses. The queue is bounded by time: what has waited for an hour is skipped and counted. One replica reads at a time,
//! and goes on after a restart where it was. `GET /moderation/stats` compares the two.
pub mod models;
pub mod schedulers;
pub mod services;

#[cfg(test)]
mod tests;

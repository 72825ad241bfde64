//! Affinities: what each person deals with, as weights over categories and tags.
//!
//! The weights come from what others can see as well: 3 for each post of theirs, 2 for a comment, 1 for a reaction, on every
//! category and tag of the post, of the latest hundred each. What only they see, such as the tags that they follow and what they
//! look at, has no weight. The weights are kept as shares of their sum, so that people who do little and people who do much can be
//! compared, and the 40 weightiest are kept. Two people are as alike as their weights overlap ([`services::overlap`]).
pub mod models;
pub mod services;

//! Digests of posts: once a week people are notified that there are posts they may like, if there are.
//!
//! A round over all people is begun by the calendar and worked off a few people at a time, with the place kept. For each the list is made
//! that they would read, and only who has enough of good reasons in it is notified: by what others did and not by what is new. The
//! notification goes through preferences, quiet hours and channels like any other.
pub mod models;
pub mod schedulers;

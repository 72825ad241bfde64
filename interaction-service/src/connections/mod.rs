//! Connections between users, as the auth service publishes them. By them a post decides who of others may comment, and a reader
//! sees the people they know first.
//!
//! They are a copy and not asked for when they are needed, so that comments and reactions go on while the auth service is away. What
//! was connected before this service consumed the events is copied from the auth service's list once, page by page; every row passes
//! through the function by which an event is applied, and the newest of a pair holds. So it makes no difference whether an event or
//! the page comes first.
pub mod events;
pub mod models;
pub mod schedulers;
mod schemas;
mod services;

#[cfg(test)]
mod tests;

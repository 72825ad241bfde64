//! The reactions to a post at a glance: how many of each type, the caller's own, and who reacted, the people the caller knows first.
pub mod models;
mod schemas;
pub mod views;

#[cfg(test)]
mod tests;

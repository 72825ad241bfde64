//! Reactions to comments, as the interaction service publishes them.
pub mod events;
pub mod models;
mod services;
pub mod signals;

#[cfg(test)]
mod tests;

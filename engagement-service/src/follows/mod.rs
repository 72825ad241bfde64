//! Connections between users, as the auth service publishes them: the one reads what the other publishes.
pub mod events;
pub mod models;

#[cfg(test)]
mod tests;

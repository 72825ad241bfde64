//! People, as the auth service publishes them: the cards that stand beside posts and in notifications.
pub mod events;
pub mod models;
pub mod schemas;

#[cfg(test)]
mod tests;

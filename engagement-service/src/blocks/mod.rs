//! Blocks between users, as the auth service publishes them: the two do not see each other's content.
pub mod events;
pub mod models;

#[cfg(test)]
mod tests;

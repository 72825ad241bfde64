//! Blocks: who does not see what whom wrote, as the auth service publishes it.
pub mod events;
pub mod models;

#[cfg(test)]
mod tests;

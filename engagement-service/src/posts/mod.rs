//! Posts, as the post service publishes them, and their counts: what an item of a feed shows.
pub mod events;
pub mod models;

#[cfg(test)]
mod tests;

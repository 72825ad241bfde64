//! Lists the posts that were written before there were lists, in the background.
pub mod models;
pub mod schedulers;

#[cfg(test)]
mod tests;

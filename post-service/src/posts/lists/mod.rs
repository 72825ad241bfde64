//! Lists of posts of one author, category or tag, and how many an author has published.
pub mod models;
pub mod schemas;

#[cfg(test)]
mod tests;

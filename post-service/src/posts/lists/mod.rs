//! Lists of posts of one author, category or tag, those whose ids are given, and how many an author has published.
pub mod backfill;
pub mod models;
pub mod schemas;

#[cfg(test)]
mod tests;

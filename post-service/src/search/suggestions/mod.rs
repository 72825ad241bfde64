//! Suggestions: tags and posts that a user may mean while they type.
pub mod models;

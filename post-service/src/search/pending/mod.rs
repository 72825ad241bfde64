//! Posts that wait for their documents.
pub mod models;

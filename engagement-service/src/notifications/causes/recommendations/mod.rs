//! People who are recommended to a reader: the group of the day on which they were.
pub mod models;

//! The documents that are to be removed from a store, since their content was withdrawn.
pub mod models;

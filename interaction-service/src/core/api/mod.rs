//! The shape of answers: errors and pages.
pub mod errors;
pub mod pagination;

//! How the API answers, whatever it is for: errors and pages.
pub mod errors;
pub mod pagination;

//! What only this service has and several of its features use.
pub mod passwords;

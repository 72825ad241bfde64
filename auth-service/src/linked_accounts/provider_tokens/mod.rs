//! The tokens that providers have granted, as they are stored: read, refreshed, encrypted anew, and left to be revoked.
pub mod models;

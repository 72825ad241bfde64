//! The ledger of nonces: which was given out for what, what was signed for it, and how far that is.
pub mod models;

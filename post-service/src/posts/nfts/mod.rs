//! The records from which posts' NFTs can be minted.
pub mod models;

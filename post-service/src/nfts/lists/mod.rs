//! A user's NFTs as a list.
mod models;

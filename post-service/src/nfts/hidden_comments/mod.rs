//! Finds out which comments were hidden before events of it were noted, so that their NFTs are shown to their authors alone.
pub mod models;
pub mod schedulers;

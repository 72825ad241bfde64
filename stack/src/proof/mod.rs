//! The commands that start a platform of their own: to break it, or to measure it.

pub mod bench;
pub mod chaos;
mod platform;
mod poll;
mod redis;

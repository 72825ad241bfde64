//! The commands that use a running platform, through its public API alone.

pub mod demo;
pub mod fuzz;
mod moderator;
pub mod pictures;
mod posting;
mod recommending;
pub mod seed;
mod steps;
pub mod target;
pub mod top;

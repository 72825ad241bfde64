//! The commands that use a running platform, through its public API alone.

pub mod demo;
pub mod fuzz;
mod local;
pub mod moderator;
pub mod pictures;
mod posting;
mod recommending;
mod reported;
pub mod screenshots;
pub mod seed;
mod steps;
pub mod target;
pub mod top;

//! The commands that speak to a platform that runs, through its public API alone.

pub mod demo;
pub mod fuzz;
pub mod seed;
pub mod target;
pub mod top;

//! The commands that run, check and prepare the workspace.

pub mod check;
mod connections;
mod control;
pub mod deployment;
pub mod doctor;
pub mod prepare;
pub mod promtool;
pub mod reset;
pub mod roll;
mod rolling;
pub mod test;
pub mod up;

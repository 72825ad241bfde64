//! The commands that run, check and prepare the workspace.

pub mod check;
mod connections;
pub mod deployment;
pub mod doctor;
pub mod prepare;
pub mod promtool;
pub mod reset;
pub mod test;
pub mod up;

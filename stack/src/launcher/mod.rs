//! The commands that run, check and prepare the workspace.

pub mod check;
pub mod doctor;
pub mod prepare;
pub mod promtool;
pub mod reset;
pub mod start;
pub mod test;
pub mod up;

//! The machine that everything runs on: its terminal, programs and ports, the workspace, the wish to stop.

pub mod arguments;
pub mod browser;
pub mod browser_tools;
pub mod chain_node;
pub mod console;
mod npm;
pub mod programs;
pub mod reservations;
pub mod shutdown;
pub mod workspace;

//! The machine that everything runs on: its terminal, programs and ports, the workspace, the wish to stop.

pub mod arguments;
pub mod chain_node;
pub mod console;
pub mod programs;
pub mod reservations;
pub mod shutdown;
pub mod workspace;

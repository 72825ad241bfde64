//! Processes and their data: the data folder, the list of running processes, Postgres and Redis.

pub mod folder;
pub mod ledger;
pub mod postgres;
pub mod private;
pub mod process_kind;
pub mod processes;
pub mod psql;
pub mod redis;
pub mod roles;
pub mod state;
pub mod temporary;

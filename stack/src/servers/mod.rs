//! Processes and their data: the data folder, who is started and stopped in it, Postgres and Redis.

pub mod folder;
pub mod ledger;
pub mod pair;
pub mod postgres;
pub mod processes;
pub mod redis;
pub mod roles;
pub mod stage;
pub mod state;

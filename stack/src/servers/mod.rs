//! Processes and their data: the data folder, the list of running processes, Postgres and Redis.

pub mod cluster;
pub mod cluster_node;
pub mod folder;
pub mod ledger;
pub mod pooler;
pub mod postgres;
pub mod private;
pub mod process_kind;
pub mod processes;
pub mod psql;
pub mod redis;
pub mod redis_url;
pub mod roles;
pub mod state;
pub mod temporary;

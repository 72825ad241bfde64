//! The ground floor: settings, Postgres, background work and telemetry, without requests and events.
pub mod database;
pub mod http_client;
pub mod jobs;
pub mod leases;
pub mod redis;
pub mod replica;
pub mod settings;
pub mod telemetry;
pub mod worker;

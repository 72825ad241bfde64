//! The ground floor: what knows nothing of requests and of events.
pub mod database;
pub mod http_client;
pub mod jobs;
pub mod leases;
pub mod settings;
pub mod telemetry;
pub mod worker;

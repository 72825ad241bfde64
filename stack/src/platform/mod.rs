//! The five services and the gateway: what each is told, where it listens, when it is ready.

pub mod config;
pub mod gateway;
pub mod instances;
pub mod metrics;
pub mod order;
pub mod ports;
pub mod replicas;

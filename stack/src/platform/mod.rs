//! The five services and the gateway: the settings of each, its port, and whether it is ready.

pub mod config;
pub mod gateway;
pub mod instances;
pub mod metrics;
pub mod order;
pub mod ports;
pub mod replicas;

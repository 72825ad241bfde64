//! The five services, the gateway and the web client: the settings of each, its port, and whether it is ready.

pub mod config;
pub mod gateway;
pub mod instances;
pub mod metrics;
pub mod order;
pub mod ports;
pub mod replicas;
pub mod web;

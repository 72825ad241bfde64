//! The five services and the gateway: what each is told, where it listens, when it is ready.

pub mod environment;
pub mod gateway;
pub mod order;
pub mod ports;
pub mod ready;
pub mod replicas;

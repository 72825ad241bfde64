//! The whole platform, end to end: the launcher's own binary starts five services with their servers, and what people do in
//! one of them is seen in the others.

mod cluster;
mod doctor;
mod events;
mod examples;
mod flow;
mod launcher;
mod leaving;
pub mod mailbox;
mod minting;
mod moderating;
mod outages;
mod perspective;
mod pooler;
mod rebuild;
mod replicas;
mod rights;
mod rolling;
mod sentinels;
mod servers;
mod standby;
mod start_order;
mod top;
mod watching;
mod web;

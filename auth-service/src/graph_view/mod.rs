//! The graph by gRPC, on a port of its own: connections as streams of pages, relations in bulk. The contract is
//! `proto/graph_view.proto`.
//!
//! A stream holds one page in memory, which is read when the transport has room for it, and between two pages no
//! connection to Postgres and no snapshot. So a caller may take its time, and one that goes away costs nothing. A page is
//! of one snapshot and says of which moment, as the pages of [`crate::read_model`] do; the cursors of all connections are
//! those of its routes, and a copy that was begun by the one is finished by the other.
mod incoming;
mod models;
pub mod schedulers;
mod schemas;
mod services;

#[cfg(test)]
mod tests;

/// The messages, the client and the server, made of the contract by `build.rs`.
pub mod proto {
    #![allow(clippy::all, clippy::pedantic, clippy::allow_attributes, reason = "generated code")]
    tonic::include_proto!("social.graph.v1");
}

/// The contract as reflection describes it.
pub const CONTRACT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/graph_view.bin"));

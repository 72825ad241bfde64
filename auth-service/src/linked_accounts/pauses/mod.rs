//! Pauses of providers: one that has had too many requests is left alone by all replicas, since it counts those of the platform.
pub mod models;

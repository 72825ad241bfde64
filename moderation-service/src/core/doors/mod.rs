//! What a request passes on its way in, and its audit; and the export and erasure of a person's data.
pub mod audit;
pub mod callers;
pub mod client_ip;
pub mod erasure;
pub mod idempotency;
pub mod limit_layer;
pub mod personal_data;

//! What a request passes on its way in, and what is noted of it; and the doors through which a person's data leave.
pub mod audit;
pub mod callers;
pub mod client_ip;
pub mod erasure;
pub mod idempotency;
pub mod limit_layer;
pub mod personal_data;

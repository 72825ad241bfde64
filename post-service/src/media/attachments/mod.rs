//! The pictures of posts: up to four, in the author's order.
pub mod models;
pub mod schemas;
pub mod services;
pub mod signals;

//! Sessions of browsers: two cookies of the client's own, which hold the tokens of the API, and nothing stored here.
//!
//! The API never reads these cookies, so a page of another site can call nothing by them; what can be called by them is
//! this client, which asks every change where it comes from (`doors/layers.rs`).
pub mod cookies;
pub mod outcome;
pub mod refreshes;
pub mod streams;

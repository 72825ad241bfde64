//! What only the clients of the original demand: its way to read a body and to say what is wrong with it, its points in
//! time, its answers to what is not there.
pub mod extract;
pub mod fields;
pub mod routing;
pub mod timestamp;

//! The event of posts by which it is known who has seen what.
pub mod consumers;
mod processors;

//! What analyses do about the events of posts and comments.
pub mod consumers;
mod processors;

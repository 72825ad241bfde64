//! The event that views publish.
pub mod producers;

pub const POST_VIEWED: &str = "post_viewed";

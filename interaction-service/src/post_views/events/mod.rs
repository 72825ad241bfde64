//! The name of the event of views that the interaction service tells.
pub mod producers;

pub const POST_VIEWED: &str = "post_viewed";

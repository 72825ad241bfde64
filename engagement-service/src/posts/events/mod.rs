//! The events of posts that this service consumes for its read model.
pub mod consumers;
mod processors;

pub const POST_CREATED: &str = "post_created";
pub const POST_UPDATED: &str = "post_updated";
pub const POST_DELETED: &str = "post_deleted";
pub const POST_VIEWED: &str = "post_viewed";

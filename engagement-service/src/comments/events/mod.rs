//! The events of comments that this service consumes for its read model.
pub mod consumers;
mod processors;

pub const COMMENT_CREATED: &str = "post_comment_created";
pub const COMMENT_UPDATED: &str = "post_comment_updated";
pub const COMMENT_DELETED: &str = "post_comment_deleted";

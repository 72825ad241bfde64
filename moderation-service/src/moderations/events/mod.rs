//! The streams of posts and comments, and those of the requests to delete them.

pub const POST_CREATED: &str = "post_created";
pub const POST_UPDATED: &str = "post_updated";
pub const POST_DELETED: &str = "post_deleted";
pub const POST_DELETE_COMPLETED: &str = "moderation_post_delete_request_completed";
pub const COMMENT_CREATED: &str = "post_comment_created";
pub const COMMENT_UPDATED: &str = "post_comment_updated";
pub const COMMENT_DELETED: &str = "post_comment_deleted";
pub const COMMENT_DELETE_COMPLETED: &str = "moderation_post_comment_delete_request_completed";

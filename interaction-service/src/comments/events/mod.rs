//! The events that comments publish and consume.
pub mod consumers;
mod processors;
pub mod producers;

pub const COMMENT_CREATED: &str = "post_comment_created";
pub const COMMENT_UPDATED: &str = "post_comment_updated";
pub const COMMENT_DELETED: &str = "post_comment_deleted";
pub const HIDDEN_COMMENT_DELETED: &str = "hidden_comment_deleted";
pub const COMMENT_DELETE_COMPLETED: &str = "moderation_post_comment_delete_request_completed";

pub const COMMENT_DELETE_REQUESTED: &str = "moderation_post_comment_delete_requested";
pub const MODERATION_DECIDED: &str = "moderation_decided";

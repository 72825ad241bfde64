//! The events that posts publish and consume.
pub mod consumers;
mod processors;
pub mod producers;

#[cfg(test)]
mod tests;

pub const POST_CREATED: &str = "post_created";
pub const POST_UPDATED: &str = "post_updated";
pub const POST_DELETED: &str = "post_deleted";
pub const POST_DELETE_COMPLETED: &str = "moderation_post_delete_request_completed";

pub const POST_VIEWED: &str = "post_viewed";
pub const COMMENT_CREATED: &str = "post_comment_created";
pub const COMMENT_DELETED: &str = "post_comment_deleted";
pub const REACTION_CREATED: &str = "post_reaction_created";
pub const REACTION_DELETED: &str = "post_reaction_deleted";
pub const POST_DELETE_REQUESTED: &str = "post_delete_requested";
pub const MODERATION_DECIDED: &str = "moderation_decided";

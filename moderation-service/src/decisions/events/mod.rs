//! The events of decisions.
pub mod producers;

/// What an author or a reporter reads about a decision, published by everything that decides.
pub const MODERATION_NOTICE: &str = "moderation_notice";

/// The contract's requests to delete a post or a comment.
pub const POST_DELETE_REQUESTED: &str = "post_delete_requested";
pub const COMMENT_DELETE_REQUESTED: &str = "moderation_post_comment_delete_requested";

//! The events that reactions to comments publish.
pub mod producers;

pub const COMMENT_REACTION_CREATED: &str = "comment_reaction_created";
pub const COMMENT_REACTION_UPDATED: &str = "comment_reaction_updated";
pub const COMMENT_REACTION_DELETED: &str = "comment_reaction_deleted";

//! The events of reactions to comments that this service consumes for its read model.
pub mod consumers;
mod processors;

pub const COMMENT_REACTION_CREATED: &str = "comment_reaction_created";
pub const COMMENT_REACTION_UPDATED: &str = "comment_reaction_updated";
pub const COMMENT_REACTION_DELETED: &str = "comment_reaction_deleted";

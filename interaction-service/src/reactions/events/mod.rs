//! The events that reactions publish.
pub mod producers;

pub const REACTION_CREATED: &str = "post_reaction_created";
pub const REACTION_UPDATED: &str = "post_reaction_updated";
pub const REACTION_DELETED: &str = "post_reaction_deleted";

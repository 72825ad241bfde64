//! Reactions to comments in the API: request and response.
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::CommentReaction;
use crate::core::contract::fields::{Fields, Input};
use crate::core::contract::timestamp::Timestamp;
use crate::reactions::Type;

/// The caller's reaction to a comment.
#[derive(ToSchema)]
#[schema(examples(json!({ "type": "LOVE" })))]
pub struct CommentReactionIn {
    /// LIKE when it is not given
    #[schema(value_type = Type, required = false)]
    pub r#type: Option<Type>,
}

impl Input for CommentReactionIn {
    fn read(fields: &mut Fields) -> Self {
        Self { r#type: fields.choice("type", &Type::WORDS, Type::parse) }
    }
}

/// A reaction to a comment.
#[derive(Serialize, ToSchema)]
pub struct CommentReactionOut {
    pub id: Uuid,
    pub created_at: Timestamp,
    /// The user who reacted
    pub created_by: Uuid,
    pub updated_at: Timestamp,
    /// Null when it was never changed
    pub updated_by: Option<Uuid>,
    pub comment_id: Uuid,
    /// The post of the comment
    pub post_id: Uuid,
    pub r#type: Type,
}

impl From<CommentReaction> for CommentReactionOut {
    fn from(reaction: CommentReaction) -> Self {
        Self {
            id: reaction.id,
            created_at: reaction.created_at,
            created_by: reaction.created_by,
            updated_at: reaction.updated_at,
            updated_by: reaction.updated_by,
            comment_id: reaction.comment_id,
            post_id: reaction.post_id,
            r#type: reaction.r#type,
        }
    }
}

//! Reactions in the API: request, response, validation.
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Type;
use super::models::Reaction;
use crate::core::contract::fields::{Fields, Input};
use crate::core::contract::timestamp::Timestamp;

/// A new or changed reaction.
#[derive(ToSchema)]
#[schema(examples(json!({ "type": "LOVE" })))]
pub struct PostReactionIn {
    /// LIKE when it is not given; unchanged when it is not given in an update by id
    #[schema(value_type = Type, required = false)]
    pub r#type: Option<Type>,
}

impl Input for PostReactionIn {
    fn read(fields: &mut Fields) -> Self {
        Self { r#type: fields.choice("type", &Type::WORDS, Type::parse) }
    }
}

/// A reaction to a post.
#[derive(Serialize, ToSchema)]
pub struct PostReactionOut {
    pub id: Uuid,
    pub created_at: Timestamp,
    /// The user who reacted
    pub created_by: Uuid,
    pub updated_at: Timestamp,
    pub updated_by: Option<Uuid>,
    pub post_id: Uuid,
    pub r#type: Type,
}

impl From<Reaction> for PostReactionOut {
    fn from(reaction: Reaction) -> Self {
        Self {
            id: reaction.id,
            created_at: reaction.created_at,
            created_by: reaction.created_by,
            updated_at: reaction.updated_at,
            updated_by: reaction.updated_by,
            post_id: reaction.post_id,
            r#type: reaction.r#type,
        }
    }
}

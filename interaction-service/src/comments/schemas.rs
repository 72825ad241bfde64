//! Comments in the API: request, response, validation.
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::Comment;
use crate::core::contract::fields::{Fields, Input};
use crate::core::contract::timestamp::Timestamp;

/// The longest content, in characters.
const MAX_CONTENT: usize = 2_000;

/// A new or changed comment.
#[derive(ToSchema)]
#[schema(examples(json!({ "content": "Welcome, Anna." })))]
pub struct CommentIn {
    /// At most 2,000 characters; may be empty
    #[schema(max_length = 2_000)]
    pub content: String,
}

impl Input for CommentIn {
    fn read(fields: &mut Fields) -> Self {
        Self { content: fields.text("content", MAX_CONTENT) }
    }
}

/// A comment.
#[derive(Serialize, ToSchema)]
pub struct CommentOut {
    pub id: Uuid,
    pub created_at: Timestamp,
    /// The author
    pub created_by: Uuid,
    pub updated_at: Timestamp,
    pub updated_by: Option<Uuid>,
    pub post_id: Uuid,
    pub content: String,
}

impl From<Comment> for CommentOut {
    fn from(comment: Comment) -> Self {
        Self {
            id: comment.id,
            created_at: comment.created_at,
            created_by: comment.created_by,
            updated_at: comment.updated_at,
            updated_by: comment.updated_by,
            post_id: comment.post_id,
            content: comment.content,
        }
    }
}

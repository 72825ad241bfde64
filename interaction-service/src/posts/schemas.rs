//! A post in the post service's answers.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::Post;
use super::{Commenters, Status};
use crate::core::contract::timestamp::Timestamp;

/// A post.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PostOut {
    pub id: Uuid,
    pub created_at: Timestamp,
    /// The author
    pub created_by: Uuid,
    pub updated_at: Timestamp,
    pub updated_by: Option<Uuid>,
    pub title: Option<String>,
    pub content: String,
    pub types: Vec<String>,
    pub status: Status,
    pub total_views: i64,
    pub total_comments: i64,
    pub total_reactions: i64,
    /// Reactions and comments per view, 0 to 100
    pub score: f64,
    /// Views per connection of the author, 0 to 100
    pub popularity: f64,
    /// Who may comment, when not everyone may
    #[schema(required = false)]
    #[serde(default, skip_serializing_if = "Commenters::is_everyone")]
    pub comments: Commenters,
}

impl From<&PostOut> for Post {
    fn from(post: &PostOut) -> Self {
        // The post service answers no hidden post.
        Self {
            id: post.id,
            created_by: post.created_by,
            status: post.status,
            updated_at: post.updated_at,
            hidden: false,
            comments: post.comments,
        }
    }
}

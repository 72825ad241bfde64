//! Comments in the API: request, response, validation.
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::Comment;
use super::threads::models::Tally;
use crate::core::contract::fields::{Fields, Input};
use crate::core::contract::timestamp::Timestamp;
use crate::facets::Facet;
use crate::facets::services::{read_shown, tag_identities};
use crate::reactions::Type;

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
    /// The comment that it replies to; none: it is no reply
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Uuid>,
    /// Since when the comment is hidden from all, until a moderator restores it
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden_at: Option<Timestamp>,
    /// Why it is hidden, in the words of moderation's case: `OFFENSIVE_CONTENT`, `NUDITY`, `RULES_VIOLATION` or `RACISM`
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden_reason: Option<String>,
    /// When a moderator restored it
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored_at: Option<Timestamp>,
    /// What moderation warns of, when there is something
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The #tags, @mentions and links in `content`, when there are some
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub facets: Vec<Facet>,
    /// The tags among them as they are compared, each once
    #[schema(required = false, examples("rust"))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// True in a list that is long, when `content` is only its beginning; the comment by its id has all of it
    #[schema(required = false)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// How many replies it has, when there are some
    #[schema(required = false, minimum = 1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_replies: Option<i64>,
    /// How many users reacted to it, when there are some
    #[schema(required = false, minimum = 1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_reactions: Option<i64>,
    /// The caller's reaction to it, when there is one
    #[schema(value_type = Type, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub my_reaction: Option<Type>,
}

impl CommentOut {
    /// The comment as a viewer sees it, with what is counted of it. An event has none of that.
    pub fn tallied(comment: Comment, tally: Option<&Tally>) -> Self {
        let counted = |count: fn(&Tally) -> i64| tally.map(count).filter(|count| *count > 0);
        Self {
            total_replies: counted(|tally| tally.total_replies),
            total_reactions: counted(|tally| tally.total_reactions),
            my_reaction: tally.and_then(|tally| tally.my_reaction),
            ..Self::from(comment)
        }
    }
}

impl From<Comment> for CommentOut {
    fn from(comment: Comment) -> Self {
        let facets = read_shown(&comment.content, comment.truncated);
        Self {
            id: comment.id,
            created_at: comment.created_at,
            created_by: comment.created_by,
            updated_at: comment.updated_at,
            updated_by: comment.updated_by,
            post_id: comment.post_id,
            content: comment.content,
            reply_to: comment.reply_to,
            hidden_at: comment.hidden_at,
            hidden_reason: comment.hidden_reason,
            restored_at: comment.restored_at,
            labels: comment.labels,
            tags: tag_identities(&facets),
            facets,
            truncated: comment.truncated,
            total_replies: None,
            total_reactions: None,
            my_reaction: None,
        }
    }
}

/// A comment that is visible again by a decision of moderation, as it is published.
#[derive(Serialize)]
pub struct RestoredComment {
    #[serde(flatten)]
    pub comment: CommentOut,
    /// The version of the decision. Moderation has made it itself; a restoration without one is a moderator's who did it here.
    pub decision_version: i64,
}

/// A hidden comment that is gone for good, as it is published.
#[derive(Serialize)]
pub struct DeletedHiddenComment {
    pub id: Uuid,
    pub post_id: Uuid,
}

impl From<&CommentOut> for DeletedHiddenComment {
    fn from(comment: &CommentOut) -> Self {
        Self { id: comment.id, post_id: comment.post_id }
    }
}

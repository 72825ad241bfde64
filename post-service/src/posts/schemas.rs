//! Posts in the API: request, response, validation.
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::Post;
use super::{CATEGORIES, Status};
use crate::core::api::errors::Error;
use crate::core::contract::fields::{Fields, Input};
use crate::core::contract::timestamp::Timestamp;
use crate::media::attachments::schemas::{PostMediaOut, read_media};

/// The longest title, in characters.
const MAX_TITLE: usize = 100;
/// The longest content, in characters.
const MAX_CONTENT: usize = 10_000;

/// The most categories of a post. There are 22, and an author may repeat one.
const MAX_TYPES: usize = 100;

/// A new or changed post.
#[derive(ToSchema)]
#[schema(examples(json!({ "title": "Hello", "content": "The first of many.", "types": ["NEWS"], "status": "POSTED" })))]
pub struct PostIn {
    /// At most 100 characters
    #[schema(max_length = 100, nullable)]
    pub title: Option<String>,
    /// At most 10,000 characters
    #[schema(max_length = 10_000)]
    pub content: String,
    /// Categories, as /posts/category-choices lists them; at most 100
    #[schema(value_type = Vec<String>, max_items = 100, examples("NEWS", "SPORTS"))]
    pub types: Vec<Value>,
    /// DRAFT when it is not given; unchanged when it is not given in an update
    #[schema(value_type = Status, required = false)]
    pub status: Option<Status>,
    /// The ids of at most 4 of the author's own pictures, in the order in which they are shown; unchanged when not given in an update
    #[schema(required = false, value_type = Vec<Uuid>, max_items = 4)]
    pub media: Option<Vec<Uuid>>,
}

impl Input for PostIn {
    fn read(fields: &mut Fields) -> Self {
        let title = fields.optional_text("title", MAX_TITLE);
        let content = fields.text("content", MAX_CONTENT);
        let types = fields.list("types");
        if types.len() > MAX_TYPES {
            let (msg, limit) =
                (format!("ensure this value has at most {MAX_TYPES} items"), json!({ "limit_value": MAX_TYPES }));
            fields.refuse("types", msg, "value_error.list.max_items", Some(limit));
        }
        let status = fields.choice("status", &Status::WORDS, Status::parse);
        Self { title, content, types, status, media: read_media(fields) }
    }
}

impl PostIn {
    /// Its categories; refused when one of them does not exist.
    pub fn categories(&self) -> Result<Vec<String>, Error> {
        let known = |value: &Value| value.as_str().filter(|word| CATEGORIES.contains(word)).map(str::to_owned);
        let refusal = Error::Refused(StatusCode::BAD_REQUEST, "Should be from valid post category choices");
        self.types.iter().map(known).collect::<Option<_>>().ok_or(refusal)
    }
}

/// A post.
#[derive(Serialize, ToSchema)]
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
    /// When the post was first published; it stays when the post is archived and published again
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
    /// Since when the post is hidden from all, until a moderator restores it
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
    /// True in a list that is long, when `content` is only its beginning; the post by its id has all of it
    #[schema(required = false)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// Its pictures, when there are some
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<PostMediaOut>,
}

impl From<Post> for PostOut {
    /// A post without its pictures, which are in rows of their own.
    fn from(post: Post) -> Self {
        Self {
            id: post.id,
            created_at: post.created_at,
            created_by: post.created_by,
            updated_at: post.updated_at,
            updated_by: post.updated_by,
            title: post.title,
            content: post.content,
            types: post.types,
            status: post.status,
            total_views: post.total_views.max(0),
            total_comments: post.total_comments.max(0),
            total_reactions: post.total_reactions.max(0),
            score: post.score,
            popularity: post.popularity,
            published_at: post.published_at,
            hidden_at: post.hidden_at,
            hidden_reason: post.hidden_reason,
            restored_at: post.restored_at,
            labels: post.labels,
            truncated: post.truncated,
            media: Vec::new(),
        }
    }
}

/// A post that is visible again by a decision of moderation, as it is published.
#[derive(Serialize)]
pub struct RestoredPost {
    #[serde(flatten)]
    pub post: PostOut,
    /// The version of the decision. Moderation has made it itself; a restoration without one is a moderator's who did it here.
    pub decision_version: i64,
}

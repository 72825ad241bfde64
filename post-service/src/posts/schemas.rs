//! Posts in the API: request, response, validation.
use axum::http::StatusCode;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::{Draft, Post};
use super::{CATEGORIES, Commenters, Schedule, Status};
use crate::core::api::errors::Error;
use crate::core::contract::fields::{Fields, Input, Invalid, invalid};
use crate::core::contract::timestamp::Timestamp;
use crate::facets::Facet;
use crate::facets::services::{read_shown, tag_identities};
use crate::items::schemas::{ItemChange, ItemIn, ItemOut, MAX_CAPTION};
use crate::media::attachments::schemas::{PostMediaOut, read_media};

/// The longest title, in characters.
const MAX_TITLE: usize = 100;
/// The longest content, in characters.
const MAX_CONTENT: usize = 10_000;

/// The most categories of a post. There are 22, and an author may repeat one.
const MAX_TYPES: usize = 100;

/// How long before its publication a draft can be scheduled: the longest year.
const MAX_AHEAD: TimeDelta = TimeDelta::days(366);

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
    /// What the post is about; its content has then at most 280 characters. Unchanged when it is not given in an update; null: nothing
    #[schema(value_type = Option<ItemIn>, required = false)]
    pub item: ItemChange,
    /// When a draft is to be published: a time with its zone, in the future and within a year. Null: when its author says so.
    /// Unchanged when it is not given in an update of a draft
    #[schema(value_type = Option<Timestamp>, required = false, examples("2036-11-20T15:00:00+00:00"))]
    pub publish_at: Schedule,
    /// Who may comment beside the author: EVERYONE when it is not given; unchanged when it is not given in an update
    #[schema(value_type = String, required = false, max_length = 11, pattern = "^(EVERYONE|CONNECTIONS|NOBODY)$", examples("CONNECTIONS"))]
    pub comments: Option<Commenters>,
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
        let item = ItemChange::read(fields);
        if matches!(item, ItemChange::Replaced(_)) && is_longer_than_a_caption(&content) {
            fields.errors.push(caption_fault());
        }
        let publish_at = read_publish_at(fields, Utc::now());
        let comments = fields.choice("comments", &Commenters::WORDS, Commenters::parse);
        Self { title, content, types, status, item, publish_at, comments, media: read_media(fields) }
    }
}

fn is_longer_than_a_caption(content: &str) -> bool {
    content.chars().nth(MAX_CAPTION).is_some()
}

/// The content of a post with an item is too long.
fn caption_fault() -> Invalid {
    let msg = format!("ensure this value has at most {MAX_CAPTION} characters");
    let limit = json!({ "limit_value": MAX_CAPTION });
    invalid(&["body", "content"], msg, "value_error.any_str.max_length", Some(limit))
}

/// Reads when a draft is to be published.
fn read_publish_at(fields: &mut Fields, now: DateTime<Utc>) -> Schedule {
    let Some(value) = fields.value("publish_at") else { return Schedule::Unchanged };
    if value.is_null() {
        return Schedule::ByHand;
    }
    let Some(at) = value.as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok()) else {
        fields.refuse("publish_at", "invalid datetime format", "value_error.datetime", None);
        return Schedule::Unchanged;
    };
    if at <= now || at > now + MAX_AHEAD {
        let msg = "ensure this time is in the future and within a year";
        fields.refuse("publish_at", msg, "value_error.datetime.not_ahead", None);
    }
    // As Postgres keeps it.
    Schedule::At(Timestamp(at.trunc_subsecs(6)))
}

impl PostIn {
    /// Its fields, with its categories as they were checked.
    pub fn draft<'a>(&'a self, types: &'a [String]) -> Draft<'a> {
        let Self { title, content, status, publish_at: schedule, comments, item, .. } = self;
        let (title, item) = (title.as_deref(), item.words());
        Draft { title, content, types, status: *status, schedule: *schedule, comments: *comments, item }
    }

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
    /// Who may comment beside the author, when not everyone may
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Commenters::is_everyone")]
    pub comments: Commenters,
    /// When the post was first published; it stays when the post is archived and published again
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
    /// When its author last changed the title, the content or the categories after it was published; absent: never. The
    /// versions before are at `/posts/{post_id}/history`
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// When the draft will be published
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_at: Option<Timestamp>,
    /// Why the draft was not published when it was due: `CONTENT`, moderation would hide it; `AUTHOR`, its author was muted or
    /// banned
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_refused: Option<String>,
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
    /// What it is about, when there is something
    #[schema(value_type = ItemOut, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemOut>,
    /// The #tags, @mentions and links in `content`, when there are some
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub facets: Vec<Facet>,
    /// The tags among them as they are compared, each once
    #[schema(required = false, examples("rust"))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
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
        let facets = read_shown(&post.content, post.truncated);
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
            comments: post.comments,
            published_at: post.published_at,
            edited_at: post.edited_at,
            publish_at: post.publish_at,
            publish_refused: post.publish_refused,
            hidden_at: post.hidden_at,
            hidden_reason: post.hidden_reason,
            restored_at: post.restored_at,
            labels: post.labels,
            item: None,
            tags: tag_identities(&facets),
            facets,
            truncated: post.truncated,
            media: Vec::new(),
        }
    }
}

impl PostOut {
    /// Refuses what an update has made of it: a long content with an item.
    pub fn check_caption(&self) -> Result<(), Error> {
        if self.item.is_some() && is_longer_than_a_caption(&self.content) {
            return Err(Error::Invalid(vec![caption_fault()]));
        }
        Ok(())
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

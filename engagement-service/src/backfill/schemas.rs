//! The pages that the owners of the copied rows answer with.
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sqlx::types::Json;
use uuid::Uuid;

use super::models::ViewSum;
use crate::comment_reactions::models::CommentReactionCard;
use crate::comments::models::CommentCard;
use crate::core::contract::timestamp::Timestamp;
use crate::moderated_posts::models::{PostLabels, PostLimit};
use crate::people::models::Person;
use crate::post_pictures::{IllustratedPost, PublishedPicture};
use crate::posts::FacetCard;
use crate::posts::models::PostCard;
use crate::reactions::models::ReactionCard;

/// A page of rows as of one moment, in the order of their keys.
#[derive(Deserialize)]
pub struct CopiedPage {
    /// When the snapshot began, by the owner's clock.
    pub as_of: Timestamp,
    /// By stream, the last event whose effect is in the counts of the rows.
    #[serde(default)]
    pub watermarks: BTreeMap<String, String>,
    pub items: CopiedItems,
    /// The key of the last item, from which the next page is read; null: nothing is behind this page.
    pub next: Option<String>,
}

/// The items of a page, as they came.
#[derive(Deserialize)]
#[serde(from = "Vec<Box<RawValue>>")]
pub enum CopiedItems {
    /// By a route: text of JSON.
    Texts(Vec<Box<RawValue>>),
    /// By a stream of connections.
    Pairs(Vec<CopiedPair>),
}

impl From<Vec<Box<RawValue>>> for CopiedItems {
    fn from(texts: Vec<Box<RawValue>>) -> Self {
        Self::Texts(texts)
    }
}

impl CopiedPage {
    /// How many items it has.
    pub fn size(&self) -> usize {
        match &self.items {
            CopiedItems::Texts(texts) => texts.len(),
            CopiedItems::Pairs(pairs) => pairs.len(),
        }
    }

    /// Its items as rows.
    pub fn rows<'a, T: Deserialize<'a>>(&'a self) -> Result<Vec<T>, serde_json::Error> {
        match &self.items {
            CopiedItems::Texts(texts) => texts.iter().map(|item| serde_json::from_str(item.get())).collect(),
            CopiedItems::Pairs(_) => Err(serde::de::Error::custom("pairs instead of rows")),
        }
    }

    /// Its items as pairs.
    pub fn pairs(&self) -> Result<Vec<CopiedPair>, serde_json::Error> {
        match &self.items {
            CopiedItems::Texts(_) => self.rows(),
            CopiedItems::Pairs(pairs) => Ok(pairs.clone()),
        }
    }
}

/// An account.
#[derive(Deserialize)]
pub struct CopiedPerson {
    id: Uuid,
    username: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    avatar_url: Option<String>,
    interests: Vec<String>,
    status: String,
    updated_at: Timestamp,
}

impl From<CopiedPerson> for Person {
    fn from(person: CopiedPerson) -> Self {
        Self {
            id: person.id,
            username: person.username,
            first_name: person.first_name,
            last_name: person.last_name,
            avatar_url: person.avatar_url,
            interests: person.interests,
            status: person.status,
            version: person.updated_at,
        }
    }
}

/// A connection or a block that exists.
#[derive(Clone, Deserialize)]
pub struct CopiedPair {
    pub user_id: Uuid,
    pub target_id: Uuid,
    pub at: Timestamp,
}

/// What moderation has decided about a post, all of it at this version.
#[derive(Deserialize)]
pub struct CopiedDecision {
    id: Uuid,
    author: Uuid,
    version: i64,
    visibility: String,
    labels: Vec<String>,
}

impl CopiedDecision {
    /// What it says in feeds.
    pub fn limit(&self) -> PostLimit {
        let Self { id, author, version, .. } = *self;
        PostLimit { post_id: id, author, version, limited: self.visibility != "VISIBLE" }
    }
}

impl From<CopiedDecision> for PostLabels {
    fn from(decision: CopiedDecision) -> Self {
        let CopiedDecision { id, author, version, labels, .. } = decision;
        Self { post_id: id, author, version, labels }
    }
}

/// A post.
#[derive(Deserialize)]
pub struct CopiedPost {
    pub id: Uuid,
    created_at: Timestamp,
    created_by: Uuid,
    updated_at: Timestamp,
    title: Option<String>,
    content: String,
    types: Vec<String>,
    status: String,
    published_at: Option<Timestamp>,
    hidden_at: Option<Timestamp>,
    total_views: i64,
    /// A post service of before did not say.
    repeated_views: Option<i64>,
    /// Absent where there are none.
    #[serde(default)]
    facets: Vec<FacetCard>,
    #[serde(default)]
    tags: Vec<String>,
    item: Option<Value>,
    /// A post service of before knew none.
    #[serde(default)]
    media: Vec<PublishedPicture>,
}

impl CopiedPost {
    /// Its views.
    pub fn views(&self) -> ViewSum {
        ViewSum { post_id: self.id, views: self.total_views, repeated: self.repeated_views }
    }

    /// What it shows beside its words.
    pub fn pictures(&self) -> IllustratedPost {
        let Self { id, created_by, updated_at, hidden_at, .. } = *self;
        IllustratedPost { id, created_by, updated_at, media: self.media.clone(), hidden_at }
    }
}

impl From<CopiedPost> for PostCard {
    fn from(post: CopiedPost) -> Self {
        Self {
            id: post.id,
            user_id: post.created_by,
            created_at: post.created_at,
            title: post.title,
            content: post.content,
            types: post.types,
            status: post.status,
            version: post.updated_at,
            published_at: post.published_at,
            hidden: post.hidden_at.is_some(),
            facets: Json(post.facets),
            tags: post.tags,
            item: post.item,
        }
    }
}

/// A comment.
#[derive(Deserialize)]
pub struct CopiedComment {
    id: Uuid,
    created_at: Timestamp,
    created_by: Uuid,
    updated_at: Timestamp,
    post_id: Uuid,
    hidden_at: Option<Timestamp>,
    /// Absent from an owner that knows no replies.
    reply_to: Option<Uuid>,
}

impl From<CopiedComment> for CommentCard {
    fn from(comment: CopiedComment) -> Self {
        Self {
            id: comment.id,
            post_id: comment.post_id,
            user_id: comment.created_by,
            created_at: comment.created_at,
            version: comment.updated_at,
            hidden: comment.hidden_at.is_some(),
            deleted: false,
            mentions: None,
            reply_to: comment.reply_to,
        }
    }
}

/// A reaction.
#[derive(Deserialize)]
pub struct CopiedReaction {
    id: Uuid,
    created_at: Timestamp,
    created_by: Uuid,
    updated_at: Timestamp,
    post_id: Uuid,
    r#type: String,
}

impl From<CopiedReaction> for ReactionCard {
    fn from(reaction: CopiedReaction) -> Self {
        Self {
            id: reaction.id,
            post_id: reaction.post_id,
            user_id: reaction.created_by,
            r#type: reaction.r#type,
            created_at: reaction.created_at,
            version: reaction.updated_at,
            deleted: false,
        }
    }
}

/// A reaction to a comment.
#[derive(Deserialize)]
pub struct CopiedCommentReaction {
    id: Uuid,
    created_at: Timestamp,
    created_by: Uuid,
    updated_at: Timestamp,
    comment_id: Uuid,
    post_id: Uuid,
}

impl From<CopiedCommentReaction> for CommentReactionCard {
    fn from(reaction: CopiedCommentReaction) -> Self {
        Self {
            id: reaction.id,
            comment_id: reaction.comment_id,
            post_id: reaction.post_id,
            user_id: reaction.created_by,
            created_at: reaction.created_at,
            version: reaction.updated_at,
            deleted: false,
        }
    }
}

//! The pages that the owners of the copied rows answer with.
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sqlx::types::Json;
use uuid::Uuid;

use crate::comment_reactions::models::CommentReactionCard;
use crate::comments::models::CommentCard;
use crate::core::contract::timestamp::Timestamp;
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
    pub items: Vec<Box<RawValue>>,
    /// The key of the last item, from which the next page is read; null: nothing is behind this page.
    pub next: Option<String>,
}

impl CopiedPage {
    /// Its items as rows.
    pub fn rows<'a, T: Deserialize<'a>>(&'a self) -> Result<Vec<T>, serde_json::Error> {
        self.items.iter().map(|item| serde_json::from_str(item.get())).collect()
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
#[derive(Deserialize)]
pub struct CopiedPair {
    pub user_id: Uuid,
    pub target_id: Uuid,
    pub at: Timestamp,
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
    pub total_views: i64,
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

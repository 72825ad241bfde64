//! Feeds in the API: an item.
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::FeedRow;
use crate::core::contract::timestamp::Timestamp;
use crate::people::schemas::PersonCard;
use crate::post_pictures::schemas::PictureItem;
use crate::posts::FacetCard;

/// A post in a feed, with all that is shown of it
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "0199d0ac-3c9e-7a2e-8f3c-000000000002", "created_at": "2026-11-20T15:05:05.052839+00:00",
    "published_at": "2026-11-20T15:05:05.052839+00:00", "updated_at": "2026-11-20T16:10:00.000001+00:00",
    "title": "Autumn", "content": "The leaves are falling. #autumn", "types": ["NEWS"],
    "author": { "id": "0199d0ac-3c9e-7a2e-8f3c-000000000001", "username": "ann", "first_name": "Ann", "last_name": null,
        "avatar_url": null },
    "total_views": 120, "total_comments": 3, "total_reactions": 13, "my_reaction": "LIKE",
    "facets": [{ "kind": "TAG", "value": "autumn", "byte_start": 24, "byte_end": 31, "utf16_start": 24, "utf16_end": 31 }],
    "tags": ["autumn"]
})))]
pub struct FeedItem {
    /// The post
    pub id: Uuid,
    pub created_at: Timestamp,
    /// When it was published for the first time: its place in the feed
    pub published_at: Timestamp,
    pub updated_at: Timestamp,
    pub title: Option<String>,
    pub content: String,
    /// Its categories
    #[schema(examples("NEWS"))]
    pub types: Vec<String>,
    pub author: PersonCard,
    pub total_views: i64,
    pub total_comments: i64,
    pub total_reactions: i64,
    /// The caller's own reaction; null: none
    #[schema(examples("LIKE"))]
    pub my_reaction: Option<String>,
    /// What moderation warns of, when there is something
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// What it is about, when there is something, as the post service shows it
    #[schema(value_type = Object, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<Value>,
    /// The #tags, @mentions and links in `content`, when there are some
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub facets: Vec<FacetCard>,
    /// The tags among them as they are compared, each once
    #[schema(required = false, examples("rust"))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Its pictures, when there are some
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<PictureItem>,
}

impl From<FeedRow> for FeedItem {
    fn from(row: FeedRow) -> Self {
        Self {
            id: row.id,
            created_at: row.created_at,
            published_at: row.published_at,
            updated_at: row.version,
            title: row.title,
            content: row.content,
            types: row.types,
            author: PersonCard {
                id: row.user_id,
                username: row.username,
                first_name: row.first_name,
                last_name: row.last_name,
                avatar_url: row.avatar_url,
            },
            total_views: row.views,
            total_comments: row.comments,
            total_reactions: row.reactions,
            my_reaction: row.my_reaction,
            labels: row.labels,
            item: row.item,
            facets: row.facets.0,
            tags: row.tags,
            media: row.pictures.0.into_iter().filter_map(PictureItem::read).collect(),
        }
    }
}

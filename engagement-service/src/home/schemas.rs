//! The home feed in the API: an item, with the reason of one that is recommended.
use serde::Serialize;
use utoipa::ToSchema;

use crate::feeds::schemas::FeedItem;
use crate::post_recommendations::schemas::RecommendationReason;

/// A post in a home feed
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
}), json!({
    "id": "0199d0ac-3c9e-7a2e-8f3c-000000000004", "created_at": "2026-11-20T11:00:00.000001+00:00",
    "published_at": "2026-11-20T11:00:00.000001+00:00", "updated_at": "2026-11-20T11:00:00.000001+00:00",
    "title": null, "content": "A kite over the stubble.", "types": ["NEWS"],
    "author": { "id": "0199d0ac-3c9e-7a2e-8f3c-000000000003", "username": "bert", "first_name": "Bert", "last_name": null,
        "avatar_url": null },
    "total_views": 7, "total_comments": 0, "total_reactions": 1, "my_reaction": null,
    "reason": { "kind": "CATEGORY", "number": null, "category": "NEWS", "people": [],
        "text": "It is about NEWS, one of your categories" }
})))]
pub struct HomeItem {
    #[serde(flatten)]
    pub post: FeedItem,
    /// Of a post that is no part of the feed and is recommended to the caller: why
    #[schema(value_type = RecommendationReason, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<RecommendationReason>,
}

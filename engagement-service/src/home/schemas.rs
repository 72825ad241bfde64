//! The home feed in the API: an item, with the reason of one that is recommended.
use serde::Serialize;
use utoipa::ToSchema;

use crate::feeds::schemas::FeedItem;
use crate::post_recommendations::schemas::RecommendationReason;

/// A post in a home feed
#[derive(Serialize, ToSchema)]
pub struct HomeItem {
    #[serde(flatten)]
    pub post: FeedItem,
    /// Of a post that is no part of the feed and is recommended to the caller: why
    #[schema(value_type = RecommendationReason, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<RecommendationReason>,
}

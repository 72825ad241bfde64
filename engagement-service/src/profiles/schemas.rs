//! Profiles in the API: the response.
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::Profile;
use super::{CATEGORIES, Level};
use crate::core::contract::timestamp::Timestamp;

/// The activity of a user, and the engagement score from it.
#[derive(Serialize, ToSchema)]
pub struct UserEngagement {
    pub id: Uuid,
    pub created_at: Timestamp,
    /// Always null: the service creates profiles
    pub created_by: Option<Uuid>,
    pub updated_at: Timestamp,
    /// Always null
    pub updated_by: Option<Uuid>,
    /// The user
    pub user_id: Uuid,
    /// Posts that the user created and did not delete
    pub total_owned_posts: i64,
    /// Views of posts by the user, also of their own
    pub total_post_views: i64,
    /// Reactions that the user made and did not delete
    pub total_post_reactions: i64,
    /// Comments that the user created and did not delete
    pub total_post_comments: i64,
    /// 0 to 100, from the activity of the last 30 days
    pub engagement_score: f64,
    pub status: Level,
    /// The number of the user's posts in each of the 22 categories
    #[schema(value_type = std::collections::HashMap<String, f64>)]
    pub summary: Map<String, Value>,
}

impl From<Profile> for UserEngagement {
    fn from(profile: Profile) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let total = |category| profile.summary.get(category).copied().unwrap_or(0).max(0) as f64;
        Self {
            id: profile.id,
            created_at: profile.created_at,
            created_by: None,
            updated_at: profile.updated_at,
            updated_by: None,
            user_id: profile.user_id,
            total_owned_posts: profile.total_owned_posts.max(0),
            total_post_views: profile.total_post_views.max(0),
            total_post_reactions: profile.total_post_reactions.max(0),
            total_post_comments: profile.total_post_comments.max(0),
            engagement_score: profile.engagement_score,
            status: profile.status,
            summary: CATEGORIES.iter().map(|category| ((*category).to_owned(), total(*category).into())).collect(),
        }
    }
}

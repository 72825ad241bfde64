//! The sources of recommendations, which are their reasons.

/// Why a post is recommended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RecommendationSource {
    /// People the reader is connected to reacted to it
    ConnectionsReacted,
    /// People the reader is connected to are connected to its author
    ConnectionsConnected,
    /// People who engaged with posts that the reader engaged with did so with this one
    SimilarPosts,
    /// It is in one of the reader's categories
    Category,
    /// It was published lately
    Fresh,
    /// Few have seen it so far
    Exploration,
}

impl RecommendationSource {
    /// The word of the API, the table and the metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::ConnectionsReacted => "CONNECTIONS_REACTED",
            Self::ConnectionsConnected => "CONNECTIONS_CONNECTED",
            Self::SimilarPosts => "SIMILAR_POSTS",
            Self::Category => "CATEGORY",
            Self::Fresh => "FRESH",
            Self::Exploration => "EXPLORATION",
        }
    }
}

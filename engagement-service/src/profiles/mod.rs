//! Activity profiles: the activity of each user, and an engagement score from it.
pub mod events;
pub mod models;
pub mod schedulers;
mod schemas;
mod services;
mod signals;
mod views;

#[cfg(test)]
mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// The level of a user's engagement score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Level {
    /// A score of 80 or more
    HighlyActive,
    /// 60 or more
    ModeratelyActive,
    /// 50 or more
    NormallyActive,
    /// 20 or more
    LessActive,
    /// Less than that
    Isolated,
}

/// The kinds of activity that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Wrote a post
    Post,
    /// Wrote a comment
    Comment,
    /// Reacted to a post
    Reaction,
    /// Looked at a post
    View,
}

impl Kind {
    /// The word of the table `activity`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Comment => "COMMENT",
            Self::Reaction => "REACTION",
            Self::View => "VIEW",
        }
    }
}

/// The categories of posts, in the order in which JSONB keeps keys, and so the original shows them: by length, then
/// bytewise.
pub const CATEGORIES: [&str; 22] = [
    "FOOD",
    "NEWS",
    "BOOKS",
    "OTHER",
    "HEALTH",
    "SPORTS",
    "TRAVEL",
    "FASHION",
    "FICTION",
    "PROTEST",
    "CULTURAL",
    "NATIONAL",
    "POLITICS",
    "LIFE_STYLE",
    "SCIENTIFIC",
    "TECHNOLOGY",
    "EDUCATIONAL",
    "COMMUNICATION",
    "INTERNATIONAL",
    "MUSIC_AND_ART",
    "PERSONAL_EVENT",
    "NOVEL_AND_POETRY",
];

/// How often a user may read their profile.
pub const READ_PROFILE_LIMIT: Limit = Limit {
    name: "activity_profile",
    routes: &["GET /api/v1/me/activity-profile"],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of activity profiles.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::retrieve_activity_profile))
}

//! Reactions to posts, at most one of a user to a post.
pub mod events;
pub mod models;
pub mod partitions;
mod schemas;
pub mod signals;
mod summary;
mod views;

#[cfg(test)]
mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// The type of a reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum Type {
    Like,
    Love,
    Angry,
    Sad,
    Funny,
    Joy,
}

impl Type {
    /// The words of the API.
    pub const WORDS: [&str; 6] = ["LIKE", "LOVE", "ANGRY", "SAD", "FUNNY", "JOY"];

    /// The type of that word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "LIKE" => Some(Self::Like),
            "LOVE" => Some(Self::Love),
            "ANGRY" => Some(Self::Angry),
            "SAD" => Some(Self::Sad),
            "FUNNY" => Some(Self::Funny),
            "JOY" => Some(Self::Joy),
            _ => None,
        }
    }
}

/// How often a user may list reactions.
pub const LIST_REACTIONS_LIMIT: Limit = Limit {
    name: "reaction_lists",
    routes: &[
        "GET /api/v1/{post_id}/post-reactions",
        "GET /api/v1/{post_id}/post-reactions/summary",
        "GET /api/v1/comments/{comment_id}/reactions",
    ],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a user may change or delete a reaction.
pub const CHANGE_REACTION_LIMIT: Limit = Limit {
    name: "reaction_changes",
    routes: &[
        "PUT /api/v1/post-reactions/{reaction_id}",
        "DELETE /api/v1/post-reactions/{reaction_id}",
        "DELETE /api/v1/{post_id}/post-reactions/mine",
        "DELETE /api/v1/comments/{comment_id}/reactions",
    ],
    rate: Rate::new(120, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a user may react.
pub const CREATE_REACTION_LIMIT: Limit = Limit {
    name: "reactions",
    routes: &[
        "POST /api/v1/{post_id}/post-reactions",
        "PUT /api/v1/{post_id}/post-reactions/mine",
        "PUT /api/v1/comments/{comment_id}/reactions",
    ],
    rate: Rate::new(120, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of reactions.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::get_post_reactions, views::create_post_reaction))
        .routes(routes!(views::put_own_post_reaction, views::delete_own_post_reaction))
        .routes(routes!(summary::views::summarise_reactions))
        .routes(routes!(views::retrieve_post_reaction_detail, views::update_post_reaction, views::delete_post_reaction))
}

//! Posts: created, read, changed and deleted by users, with the counters of views, comments and reactions.
pub mod authors;
pub mod checks;
pub mod conditional;
mod decisions;
pub mod events;
pub mod hiding;
pub mod lists;
pub mod models;
pub mod nfts;
pub mod reading;
pub mod schemas;
mod services;
pub mod shown;
pub mod signals;
mod views;

#[cfg(test)]
pub mod tests;

use axum::middleware::from_fn;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::contract::timestamp::Timestamp;
use crate::core::ground::settings::Rate;

/// The status of a post, which decides who sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum Status {
    /// Seen by its author, who is still writing
    Draft,
    /// Seen by all users
    Posted,
    /// Seen by its author, who withdrew it
    Archived,
}

/// Who may comment on a post beside its author.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum Commenters {
    /// All who see it
    #[default]
    Everyone,
    /// The users that the author is connected to
    Connections,
    /// Its author alone
    Nobody,
    /// None at all: moderation has closed it
    Locked,
}

impl Commenters {
    /// The words that an author chooses from.
    pub const WORDS: [&str; 3] = ["EVERYONE", "CONNECTIONS", "NOBODY"];

    /// Those of that word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "EVERYONE" => Some(Self::Everyone),
            "CONNECTIONS" => Some(Self::Connections),
            "NOBODY" => Some(Self::Nobody),
            _ => None,
        }
    }

    /// Whether all who see the post may comment on it.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
    pub fn is_everyone(&self) -> bool {
        *self == Self::Everyone
    }
}

impl Status {
    /// The words of the API.
    pub const WORDS: [&str; 3] = ["DRAFT", "POSTED", "ARCHIVED"];

    /// The status of that word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "DRAFT" => Some(Self::Draft),
            "POSTED" => Some(Self::Posted),
            "ARCHIVED" => Some(Self::Archived),
            _ => None,
        }
    }
}

/// The categories of posts, in the contract's order.
pub const CATEGORIES: [&str; 22] = [
    "SPORTS",
    "NEWS",
    "HEALTH",
    "POLITICS",
    "TRAVEL",
    "FOOD",
    "FICTION",
    "TECHNOLOGY",
    "COMMUNICATION",
    "INTERNATIONAL",
    "NATIONAL",
    "CULTURAL",
    "LIFE_STYLE",
    "FASHION",
    "EDUCATIONAL",
    "PERSONAL_EVENT",
    "OTHER",
    "MUSIC_AND_ART",
    "NOVEL_AND_POETRY",
    "BOOKS",
    "PROTEST",
    "SCIENTIFIC",
];

/// What a request says of when a draft is to be published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Schedule {
    /// Nothing: it stays as it is.
    #[default]
    Unchanged,
    /// When its author says so.
    ByHand,
    /// By itself, at that time.
    At(Timestamp),
}

impl Schedule {
    /// The time, where there is one.
    pub fn time(self) -> Option<Timestamp> {
        if let Self::At(at) = self { Some(at) } else { None }
    }
}

/// The constraint that only a draft is published later.
const ONLY_DRAFTS: &str = "post_publish_at";

/// How often a user may list posts, and read several by their ids.
pub const LIST_POSTS_LIMIT: Limit = Limit {
    name: "post_lists",
    routes: &[
        "GET /api/v1/posts",
        "POST /api/v1/posts/lookup",
        "GET /api/v1/posts/hidden",
        "GET /api/v1/users/{user_id}/posts/count",
    ],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a user may change or delete a post, or restore one.
pub const CHANGE_POST_LIMIT: Limit = Limit {
    name: "post_changes",
    routes: &["PUT /api/v1/posts/{post_id}", "DELETE /api/v1/posts/{post_id}", "POST /api/v1/posts/{post_id}/restore"],
    rate: Rate::new(60, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a user may create a post.
pub const CREATE_POST_LIMIT: Limit = Limit {
    name: "posts",
    routes: &["POST /api/v1/posts"],
    rate: Rate::new(30, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of posts.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::get_available_categories))
        .routes(routes!(views::get_posts, views::create_post))
        .routes(routes!(views::lookup_posts))
        .routes(routes!(views::get_hidden_posts))
        .routes(routes!(views::restore_post))
        .routes(routes!(views::count_posts))
        .routes(routes!(views::retrieve_post, views::update_post, views::delete_post))
        .layer(from_fn(conditional::revalidate))
}

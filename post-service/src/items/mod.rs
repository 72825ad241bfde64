//! Attachments: a link, or a thing of another catalogue such as a book or a track, that a post is about.
//!
//! Items are a catalogue without doubles: constraints decide whether an item is there, and posts share it. What a post says about its item
//! is stored with the post, so no other post can change it. A post that gets an item, a draft as well, says what a post says that has
//! the item and that all users may read; where there is none, it says what its author wrote. A draft is compared once more when it is
//! published. So all posts that all users may read agree, and the words of private posts are given to no other post.
//!
//! The service never fetches an address: it would be a way into the network that it stands in. Clients load pictures themselves.
pub mod models;
pub mod schedulers;
pub mod schemas;
pub mod services;
pub mod signals;
mod views;

#[cfg(test)]
mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum ItemKind {
    /// A page of the web
    Link,
    Track,
    Album,
    Artist,
    Movie,
    Book,
    Other,
}

impl ItemKind {
    /// The words of the API.
    pub const WORDS: [&str; 7] = ["LINK", "TRACK", "ALBUM", "ARTIST", "MOVIE", "BOOK", "OTHER"];

    /// The kind of that word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "LINK" => Some(Self::Link),
            "TRACK" => Some(Self::Track),
            "ALBUM" => Some(Self::Album),
            "ARTIST" => Some(Self::Artist),
            "MOVIE" => Some(Self::Movie),
            "BOOK" => Some(Self::Book),
            "OTHER" => Some(Self::Other),
            _ => None,
        }
    }
}

/// How often a user may read items.
pub const READ_ITEM_LIMIT: Limit = Limit {
    name: "items",
    routes: &["GET /api/v1/items/{item_id}"],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of items.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::retrieve_item))
}

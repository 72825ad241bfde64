//! Feeds: the posts of a user's connections and their own, which the home feed shows (`home`), those of one author, and the best of all.
//!
//! A home feed is a sorted set in Redis (`cache`), filled when a post is published (`fan_out`), dropped when whom the user reads has
//! changed (`drops`), and built from Postgres when it is read and not there (`reading`). It says where to look only: what a page
//! shows is decided by Postgres as the page is read, so that nothing is shown that its reader may not see. The walk-through is
//! in `docs/feeds.md`.
mod cache;
pub mod drops;
pub mod events;
pub mod explore;
pub mod fan_out;
pub mod merge;
pub mod models;
pub mod pages;
mod reading;
pub mod schemas;
pub mod settings;
mod views;

#[cfg(test)]
mod tests;

use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use self::reading::Feeds;
use crate::core::api::errors::Error;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// The author of a feed does not exist for the caller.
const AUTHOR_NOT_FOUND: Error = Error::Refused(StatusCode::NOT_FOUND, "User not found");

/// How often a user may read feeds: a client that looks for news every second is welcome.
pub const READ_FEED_LIMIT: Limit = Limit {
    name: "feeds",
    routes: &["GET /api/v1/me/feed", "GET /api/v1/users/{user_id}/feed", "GET /api/v1/feed/explore"],
    rate: Rate::new(600, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of feeds.
pub fn router() -> OpenApiRouter<Feeds> {
    OpenApiRouter::new().routes(routes!(views::author_feed)).merge(explore::router())
}

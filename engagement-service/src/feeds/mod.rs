//! Feeds: the posts of a user's connections and their own, those of one author, and the best of all.
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
mod models;
mod pages;
mod reading;
mod schemas;
mod views;

#[cfg(test)]
mod tests;

use axum::http::StatusCode;
use redis::IntoConnectionInfo;
use secrecy::SecretString;
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

/// The settings of feeds.
#[derive(clap::Args, Clone, Debug)]
pub struct FeedSettings {
    /// Redis that holds the feeds, where it is not the one of the event streams; it may evict
    #[arg(long, env = "FEED_REDIS_URL", hide_env_values = true, value_parser = check_redis_url)]
    pub feed_redis_url: Option<SecretString>,

    /// Followers from which on an author's posts are not copied into feeds, but looked up by each reader; with a tenth less
    /// they are copied again
    #[arg(long, env = "FEED_BIG_AUTHOR", default_value_t = 10_000, value_parser = clap::value_parser!(i64).range(1..))]
    pub feed_big_author: i64,

    /// Connections from which on a reader's feed is kept for ten minutes only, and not for 14 days
    #[arg(long, env = "FEED_MANY_CONNECTIONS", default_value_t = 2_000, value_parser = clap::value_parser!(i64).range(1..))]
    pub feed_many_connections: i64,
}

fn check_redis_url(text: &str) -> Result<SecretString, String> {
    text.into_connection_info().map(|_| text.into()).map_err(|cause| cause.to_string())
}

/// The routes of feeds.
pub fn router() -> OpenApiRouter<Feeds> {
    OpenApiRouter::new().routes(routes!(views::home_feed)).routes(routes!(views::author_feed)).merge(explore::router())
}

//! Followed tags: a user reads the posts with them in their home feed, of all authors.
//!
//! The posts of a tag stand in no feed of their own: like those of authors with very many followers, they are looked up when the
//! reader reads ([`crate::feeds`]). So a tag that a million people follow costs its authors nothing, and what a reader follows
//! holds for the next page.
pub mod models;
mod schemas;
mod signals;
mod views;

#[cfg(test)]
mod tests;

use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::api::errors::Error;
use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// The tags that a user can follow: each is looked up when a page is read.
pub const MAX_TAGS: i64 = 100;

/// The user follows as many tags as anyone can.
const TOO_MANY_TAGS: Error = Error::Refused(StatusCode::CONFLICT, "At most 100 tags can be followed");

/// How often a user may follow tags, and end that.
pub const CHANGE_TAGS_LIMIT: Limit = Limit {
    name: "tag_follows",
    routes: &["PUT /api/v1/me/tags/{tag}", "DELETE /api/v1/me/tags/{tag}"],
    rate: Rate::new(60, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a user may read of tags.
pub const READ_TAGS_LIMIT: Limit = Limit {
    name: "tag_reads",
    routes: &["GET /api/v1/me/tags", "GET /api/v1/tags/{tag}"],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of followed tags.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::list_tags))
        .routes(routes!(views::follow_tag, views::unfollow_tag))
        .routes(routes!(views::retrieve_tag))
}

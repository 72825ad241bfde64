//! Tags: the posts that have one, and the tags that are talked about. A walk-through is in `docs/tags.md`.
//!
//! The tags of a post follow from its content, and are stored beside it so that posts are found by them. What was written before
//! there were tags is read by a worker, a page at a time.
pub mod models;
pub mod schedulers;
mod schemas;
mod services;
pub mod signals;
mod views;

#[cfg(test)]
mod tests;

use axum::middleware::from_fn;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;
use crate::posts::conditional::revalidate;

/// How often a user may list the posts of tags, and trends.
pub const LIST_TAGS_LIMIT: Limit = Limit {
    name: "tag_lists",
    routes: &["GET /api/v1/tags/{tag}/posts", "GET /api/v1/tags/trending"],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of tags.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::list_trends))
        .routes(routes!(views::list_tagged_posts))
        .layer(from_fn(revalidate))
}

//! Views of posts, which are published and not stored.
pub mod events;
mod schemas;
mod signals;
mod views;

#[cfg(test)]
mod tests;

use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// The routes of views.
pub fn router() -> OpenApiRouter<App> {
    // The router prefers the literal `/post-reactions/{reaction_id}`, the original the route that was written first,
    // which is `/{post_id}/view`, for a post with an invalid id.
    OpenApiRouter::new().routes(routes!(views::view_post)).route("/post-reactions/view", get(views::view_post))
}

//! Mutes and hidden posts: what a user does not want to read, without its author knowing. A mute keeps an author out of the
//! user's feeds and notifications; on the author's own page the posts stay readable. A hidden post is shown to the user in no feed.
pub mod models;
mod schemas;
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

/// The target of a mute does not exist for the caller.
const TARGET_NOT_FOUND: Error = Error::Refused(StatusCode::NOT_FOUND, "Target user not found");
/// The post does not exist for the caller.
const POST_NOT_FOUND: Error = Error::Refused(StatusCode::NOT_FOUND, "Post not found");

/// How often a user may mute and hide, and take that back.
pub const MUTE_LIMIT: Limit = Limit {
    name: "mutes",
    routes: &[
        "POST /api/v1/me/mutes/{user_id}",
        "DELETE /api/v1/me/mutes/{user_id}",
        "POST /api/v1/posts/{post_id}/hide",
        "DELETE /api/v1/posts/{post_id}/hide",
    ],
    rate: Rate::new(60, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a user may list their mutes.
pub const LIST_MUTES_LIMIT: Limit = Limit {
    name: "mute_lists",
    routes: &["GET /api/v1/me/mutes"],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of mutes and hidden posts.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::list_mutes))
        .routes(routes!(views::mute_user, views::unmute_user))
        .routes(routes!(views::hide_post, views::show_post))
}

//! Comments on posts.
mod decisions;
pub mod events;
pub mod models;
mod schemas;
pub mod signals;
mod threads;
mod views;

#[cfg(test)]
pub mod tests;

use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::core::api::errors::Error;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// The answer about a comment that does not exist, and about one that the caller may not see: both look the same.
pub const NOT_FOUND: Error = Error::Refused(StatusCode::NOT_FOUND, "Post comment not found");

/// How often a user may list comments.
pub const LIST_COMMENTS_LIMIT: Limit = Limit {
    name: "comment_lists",
    routes: &[
        "GET /api/v1/{post_id}/comments",
        "GET /api/v1/comments/hidden",
        "GET /api/v1/comments/{comment_id}/replies",
    ],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a user may change or delete a comment, or restore one.
pub const CHANGE_COMMENT_LIMIT: Limit = Limit {
    name: "comment_changes",
    routes: &[
        "PUT /api/v1/comments/{comment_id}",
        "DELETE /api/v1/comments/{comment_id}",
        "POST /api/v1/comments/{comment_id}/restore",
    ],
    rate: Rate::new(120, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a user may comment.
pub const CREATE_COMMENT_LIMIT: Limit = Limit {
    name: "comments",
    routes: &["POST /api/v1/{post_id}/comments"],
    rate: Rate::new(120, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of comments.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::get_post_comments, views::create_post_comment))
        .routes(routes!(views::get_hidden_comments))
        .routes(routes!(views::restore_comment))
        .routes(routes!(threads::views::list_replies))
        .routes(routes!(views::retrieve_post_comment_detail, views::update_post_comment, views::delete_post_comment))
}

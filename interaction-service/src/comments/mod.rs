//! Comments on posts.
mod decisions;
pub mod events;
pub mod models;
mod schemas;
pub mod signals;
mod views;

#[cfg(test)]
pub mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// How often a user may list comments.
pub const LIST_COMMENTS_LIMIT: Limit = Limit {
    name: "comment_lists",
    routes: &["GET /api/v1/{post_id}/comments", "GET /api/v1/comments/hidden"],
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
        .routes(routes!(views::retrieve_post_comment_detail, views::update_post_comment, views::delete_post_comment))
}

//! Comments: what people say about posts.
pub mod events;
pub mod models;
mod schemas;
mod services;
pub mod signals;
mod views;

#[cfg(test)]
mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::App;

/// The routes of comments.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::get_post_comments, views::create_post_comment)).routes(routes!(
        views::retrieve_post_comment_detail,
        views::update_post_comment,
        views::delete_post_comment
    ))
}

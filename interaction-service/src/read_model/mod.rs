//! What other services copy of comments and reactions, page by page: the beginning of a read model that is later kept by events,
//! which reach back no further than the outbox.
mod models;
mod schemas;
mod views;

#[cfg(test)]
mod tests;

use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;

use crate::core::app::App;

/// The routes, which need the service token; a gateway routes none of them.
pub fn internal() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .route("/internal/read-model/comments", get(views::list_comments))
        .route("/internal/read-model/reactions", get(views::list_reactions))
        .route("/internal/read-model/comment-reactions", get(views::list_comment_reactions))
}

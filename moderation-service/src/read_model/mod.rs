//! What other services copy of the state of posts, page by page: the beginning of a read model that is later kept by events, which
//! reach back no further than the outbox.
mod models;
mod schemas;
mod views;

#[cfg(test)]
mod tests;

use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;

use crate::core::app::App;

/// The route, which needs the service token; a gateway does not route it.
pub fn internal() -> OpenApiRouter<App> {
    OpenApiRouter::new().route("/internal/read-model/moderated-posts", get(views::list_moderated_posts))
}

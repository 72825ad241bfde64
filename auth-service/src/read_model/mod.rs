//! What other services copy of people, connections and blocks, page by page: the beginning of a read model that is later kept
//! by events, which reach back no further than the outbox.
pub mod models;
pub mod schemas;
mod views;

#[cfg(test)]
mod tests;

use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The routes, which need the service token; a gateway routes none of them.
pub fn internal() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .route("/internal/read-model/people", get(views::list_people))
        .route("/internal/read-model/connections", get(views::list_connections))
        .route("/internal/read-model/blocks", get(views::list_blocks))
}

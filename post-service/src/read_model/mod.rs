//! What other services copy of posts, page by page: the beginning of a read model that is later kept by events, which reach back
//! no further than the outbox.
//!
//! Views are counted, and no row says which of them a count has. So a page says up to which entry of the views' stream its
//! counts go: the watermark and the rows are of one snapshot, and the consumer changes both in one transaction.
mod models;
mod schemas;
mod services;
mod views;

#[cfg(test)]
mod tests;

use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;

use crate::core::app::App;

/// The route, which needs the service token; a gateway does not route it.
pub fn internal() -> OpenApiRouter<App> {
    OpenApiRouter::new().route("/internal/read-model/posts", get(views::list_posts))
}

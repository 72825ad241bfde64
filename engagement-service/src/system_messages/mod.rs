//! System messages: what operators have to say to some people or to all, and moderation to one.
pub mod events;
pub mod models;
pub mod schedulers;
mod schemas;
mod signals;
mod views;

#[cfg(test)]
mod tests;

use axum::routing::post;
use utoipa_axum::router::OpenApiRouter;

use crate::core::app::App;

/// The route of operators, which a gateway does not route.
pub fn internal() -> OpenApiRouter<App> {
    OpenApiRouter::new().route("/internal/system-messages", post(views::create_system_message))
}

//! Moderations: the contract's cases, each a request to take down a post or comment, and the state of that. A case is opened with
//! the decision that hides the content, and closed when the service that has it confirms.
pub mod events;
pub mod lexicon;
pub mod models;
mod schemas;
pub mod services;
mod views;

#[cfg(test)]
mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// The kind of content that a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum Kind {
    Post,
    Comment,
}

/// The state of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// The service that has the content is asked to take it down
    DeleteRequested,
    /// The content is hidden, or deleted
    DeleteConfirmed,
}

/// How often a user may list their cases.
pub const READ_MODERATIONS_LIMIT: Limit = Limit {
    name: "moderations",
    routes: &["GET /api/v1/me/moderations"],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of moderations.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::get_my_moderations))
}

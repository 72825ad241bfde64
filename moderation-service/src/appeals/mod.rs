//! Appeals: the author of what was decided about objects, once, and a moderator who took no part in it says whether the decision
//! stands. They wait in an order, the most urgent first, and a moderator claims them for a quarter of an hour, as cases.
pub mod models;
mod schemas;
mod services;
pub mod signals;
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

/// How often a user may appeal.
pub const APPEAL_LIMIT: Limit = Limit {
    name: "appeals",
    routes: &["POST /api/v1/me/moderation/decisions/{id}/appeal"],
    rate: Rate::new(10, 3600),
    burst_in_development: Some(100),
    strict: false,
};

/// How often an address may read what a token is about, and appeal with one.
pub const TOKEN_APPEAL_LIMIT: Limit = Limit {
    name: "appeals_by_token",
    routes: &["GET /api/v1/moderation/appeals/by-token", "POST /api/v1/moderation/appeals/by-token"],
    rate: Rate::new(30, 3600),
    burst_in_development: Some(300),
    strict: false,
};

/// How often a user may list their appeals.
pub const READ_APPEALS_LIMIT: Limit = Limit {
    name: "appeals_read",
    routes: &["GET /api/v1/me/appeals"],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

pub const NO_SUCH_APPEAL: Error = Error::Refused(StatusCode::NOT_FOUND, "No such appeal");
/// The caller has no claim that could end.
const NOT_CLAIMED: Error = Error::Refused(StatusCode::NOT_FOUND, "You have not claimed this appeal");

/// The routes of appeals.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::create_appeal))
        .routes(routes!(views::get_statement_by_token, views::create_appeal_by_token))
        .routes(routes!(views::get_my_appeals))
        .routes(routes!(views::get_appeals))
        .routes(routes!(views::claim_next_appeals))
        .routes(routes!(views::claim_appeal, views::release_appeal))
        .routes(routes!(views::resolve_appeal))
}

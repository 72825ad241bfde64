//! Compatibility: how much a person and another one have in common, by kind, in percent, and what it is.
//!
//! Each percentage is a Jaccard index: of interests and of connections as sets, of engagement over weighted categories and tags
//! ([`crate::affinities`]), of taste over weighted tracks, artists and genres ([`crate::taste`]). A taste that the other does not
//! share is not compared: a percentage would say what it is.
mod models;
mod schemas;
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

/// The other does not exist for the caller.
const OTHER_NOT_FOUND: Error = Error::Refused(StatusCode::NOT_FOUND, "User not found");
const ONESELF: Error = Error::Refused(StatusCode::BAD_REQUEST, "Can not compare with oneself");

/// How often a user may ask.
pub const COMPATIBILITY_LIMIT: Limit = Limit {
    name: "compatibility",
    routes: &["GET /api/v1/me/compatibility/{user_id}"],
    rate: Rate::new(120, 60),
    burst_in_development: None,
    strict: false,
};

/// The route of compatibility.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::compare))
}

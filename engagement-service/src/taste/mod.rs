//! Taste: what people listen to most, from an account of theirs elsewhere.
//!
//! Who links an account of a provider that is a source ([`sources`]) has their top tracks and artists fetched, at once and then
//! every week, one person at a time. The auth service hands out the access token for each fetch; none is stored here. The
//! weights are in [`services`]. Who listens to the same is found by an inverted index ([`matching`]), and never by comparing everyone with
//! everyone.
//!
//! A taste is its person's alone until they share it. It ends with the link, when its person wants it forgotten, and with their
//! account.
mod broker;
pub mod commands;
pub mod events;
pub mod matching;
pub mod models;
pub mod schedulers;
mod schemas;
pub mod services;
pub mod settings;
pub mod signals;
mod sources;
mod views;

#[cfg(test)]
pub mod tests;

use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::api::errors::Error;
use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// The name of the provider in the settings of the auth service.
pub const PROVIDER: &str = "spotify";

/// The caller has linked no account that says what they listen to.
const NO_TASTE: Error = Error::Refused(StatusCode::NOT_FOUND, "No taste");
/// The person does not exist for the caller, has no taste, or does not share it: no caller learns which.
const NO_TOP_ITEMS: Error = Error::Refused(StatusCode::NOT_FOUND, "No top items");

/// How often a user may read and change what holds for their taste.
pub const TASTE_LIMIT: Limit = Limit {
    name: "tastes",
    routes: &["GET /api/v1/me/taste", "PATCH /api/v1/me/taste", "DELETE /api/v1/me/taste"],
    rate: Rate::new(120, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a user may read what others listen to.
pub const TOP_ITEMS_LIMIT: Limit = Limit {
    name: "top_items",
    routes: &["GET /api/v1/users/{user_id}/top-items"],
    rate: Rate::new(120, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of tastes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::retrieve_taste, views::update_taste, views::forget_taste))
        .routes(routes!(views::list_top_items))
}

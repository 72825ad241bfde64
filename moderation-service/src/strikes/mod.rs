//! Strikes: what moderators' decisions add up to against an author, until they are old or taken back. The weight of a strike
//! is that of its reason, and the ladder says what follows from the sum.
pub mod models;
mod schemas;
pub mod services;
mod views;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;

/// The routes of strikes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::get_strikes)).routes(routes!(views::get_strike_histogram))
}

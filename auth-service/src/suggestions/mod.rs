//! Suggestions: users that a user may want to be connected to.
//!
//! They are two steps away: connections of one's connections. Each of one's connections has one unit to give and divides it
//! evenly among their own connections; the user who gets most is suggested first. That is resource allocation (T. Zhou, L. Lü,
//! Y.-C. Zhang, Predicting missing links via local information, Eur. Phys. J. B 71, 2009): the sum of 1/degree over common
//! connections. A user who is connected to thousands says little about each of them, and gives each little. Interests
//! that are shared count as well. Where the graph says nothing, the newest people are suggested.
pub mod models;
mod schemas;
mod services;
mod views;

#[cfg(test)]
mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// The routes of suggestions.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::suggest_users)).routes(routes!(views::dismiss_suggestion))
}

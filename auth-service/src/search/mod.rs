//! Search: people by the beginning of their username or of a word of their name, and, when these are few, by names that nearly
//! are what was typed. Both sides are compared folded ([`crate::names::folding`]).
mod models;
mod schemas;
mod views;

#[cfg(test)]
mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// How often a user may search: as fast as they type, and too slowly to copy all names.
pub const SEARCH_LIMIT: Limit = Limit {
    name: "searches",
    routes: &["GET /api/v1/users/search"],
    rate: Rate::new(120, 60),
    burst_in_development: None,
    strict: false,
};

/// The text that is searched for, folded as names are.
#[derive(Debug, PartialEq, Eq)]
pub struct SearchText {
    /// Without the `@` before a username; compared with usernames and, for its likeness, with names.
    pub folded: String,
    /// Compared with the keys of names; empty where too little is left for it.
    pub key: String,
}

/// The routes of search.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::search_users))
}

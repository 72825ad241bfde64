//! Accounts: their life after the sign-up, from an update by their owner to their deletion, and what follows from each.
pub mod attempts;
pub mod browser;
pub mod events;
pub mod models;
pub mod schedulers;
pub mod schemas;
pub mod signals;
mod views;

#[cfg(test)]
mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// How often passwords of one account may be tried before there are pauses between them; `attempts` asks.
pub const ACCOUNT_LIMIT: Limit =
    Limit { name: "account", routes: &[], rate: Rate::new(10, 900), burst_in_development: None, strict: true };

/// How often a mail with a token may be asked for by the person of an address; `attempts` asks.
pub const RESET_LIMIT: Limit =
    Limit { name: "reset", routes: &[], rate: Rate::new(3, 3600), burst_in_development: None, strict: true };

/// How often accounts may be updated from one address: each update costs two hashes of passwords, and may mail.
pub const UPDATE_LIMIT: Limit = Limit {
    name: "account_updates",
    routes: &["PUT /api/v1/users/{user_id}"],
    rate: Rate::new(10, 60).burst(20),
    burst_in_development: None,
    strict: true,
};

/// The routes of accounts.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::get_available_interests_choices))
        .routes(routes!(views::update_user, views::delete_user))
        .routes(routes!(views::undo_change))
}

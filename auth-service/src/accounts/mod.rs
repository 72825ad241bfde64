//! Accounts: their life after the sign-up, from an update by their owner to their deletion, and what follows from each.
pub mod events;
mod schemas;
pub mod signals;
mod views;

#[cfg(test)]
mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// The routes of accounts.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::get_available_interests_choices))
        .routes(routes!(views::update_user, views::delete_user))
}

//! Profiles: what users show of themselves, and how they are related to the caller that reads them.
//!
//! An account (`users`) is what the service knows of a person; a profile is what it tells others. Every list of people
//! goes through [`models::Profile::load`], so that there is one place where an address is kept from strangers.
pub mod events;
pub mod models;
pub mod schemas;
pub mod services;
pub mod signals;
pub mod views;

#[cfg(test)]
mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// The routes of profiles.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::get_users))
        .routes(routes!(views::get_session_user, views::update_session_user))
        .routes(routes!(views::retrieve_user))
        .routes(routes!(views::retrieve_user_by_username))
        .routes(routes!(views::lookup_users))
}

//! Roles, mutes and bans, and the history of these decisions.
//!
//! | who decides | role | mute, ban, lift |
//! |---|---|---|
//! | MODERATOR | none | a USER's |
//! | ADMIN | all, as long as one ADMIN is left | a USER's, a MODERATOR's |
//! | the moderation service | none | a USER's (`standings`) |
//!
//! No user decides about themselves but an ADMIN who steps down. An ADMIN is neither muted nor banned, they lose the role
//! first, so that no two admins shut each other out; and who is muted or banned gets no role. A decision takes effect at
//! once: sessions of a banned account end with it, and other services consume the events and drop their cached verdicts.
pub mod commands;
mod decisions;
pub mod models;
pub mod schedulers;
mod schemas;
mod services;
pub mod signals;
pub mod standings;
mod views;

#[cfg(test)]
mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// The routes of those who decide.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::get_members))
        .routes(routes!(views::get_member))
        .routes(routes!(views::set_role))
        .routes(routes!(views::set_status))
        .routes(routes!(views::get_decisions))
}

//! People: their accounts, and what other services may know of them.
pub mod details;
pub mod events;
pub mod models;
pub mod schemas;
pub mod services;
pub mod signals;
pub mod views;

#[cfg(test)]
pub mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::App;

/// What a person may do here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum Status {
    /// Their address was verified
    Active,
    /// Their address was never verified
    Inactive,
    /// Moderation has silenced them
    Muted,
    /// Moderation has shut them out
    Banned,
}

impl Status {
    /// The word of the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::Muted => "MUTED",
            Self::Banned => "BANNED",
        }
    }
}

/// What a person can be interested in, in the contract's order.
pub const INTERESTS: [&str; 22] = [
    "SPORTS",
    "NEWS",
    "HEALTH",
    "POLITICS",
    "TRAVEL",
    "FOOD",
    "FICTION",
    "TECHNOLOGY",
    "COMMUNICATION",
    "INTERNATIONAL",
    "NATIONAL",
    "CULTURAL",
    "LIFE_STYLE",
    "FASHION",
    "EDUCATIONAL",
    "PERSONAL_EVENT",
    "OTHER",
    "MUSIC_AND_ART",
    "NOVEL_AND_POETRY",
    "BOOKS",
    "PROTEST",
    "SCIENTIFIC",
];

/// The routes of people.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::get_available_interests_choices))
        .routes(routes!(views::update_user, views::delete_user))
}

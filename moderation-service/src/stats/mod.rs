//! Statistics: how much came in, what was decided and how soon, and how often that was wrong; what of it is public; and decisions
//! as labels to train with.
pub mod labels;
pub mod models;
pub mod schedulers;
mod schemas;
pub mod services;
mod signals;
mod views;

#[cfg(test)]
mod tests;

use axum::Extension;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::services::{LoadedImageModel, PublicLog};
use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// How often a moderator may read the statistics, which are counted for each request.
pub const STATS_LIMIT: Limit = Limit {
    name: "moderation_stats",
    routes: &["GET /api/v1/moderation/stats"],
    rate: Rate::new(30, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a client may read what is public.
pub const TRANSPARENCY_LIMIT: Limit = Limit {
    name: "transparency",
    routes: &["GET /api/v1/moderation/transparency", "GET /api/v1/moderation/public-log"],
    rate: Rate::new(60, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of statistics; they name the image model that is loaded.
pub fn router(public_log: PublicLog, image_model: Option<String>) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::get_stats))
        .routes(routes!(views::get_transparency))
        .routes(routes!(views::list_public_log))
        .layer(Extension(public_log))
        .layer(Extension(LoadedImageModel(image_model)))
}

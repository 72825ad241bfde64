//! Statistics: how much came in, what was decided and how soon, and how often that was wrong; which models take part; what of it is
//! public; and decisions as labels to train with.
pub mod labels;
pub mod models;
pub mod registry;
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

use self::registry::LoadedModels;
use self::services::PublicLog;
use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// How often a moderator may read the statistics, the registry of models and the histogram of strikes, which are counted for each request.
pub const STATS_LIMIT: Limit = Limit {
    name: "moderation_stats",
    routes: &[
        "GET /api/v1/moderation/stats",
        "GET /api/v1/moderation/models",
        "GET /api/v1/moderation/strikes/histogram",
    ],
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

/// The routes of statistics; they name the models that are loaded.
pub fn router(public_log: PublicLog, models: LoadedModels) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::get_stats))
        .routes(routes!(views::list_models))
        .routes(routes!(views::get_transparency))
        .routes(routes!(views::list_public_log))
        .layer(Extension(public_log))
        .layer(Extension(models))
}

//! The pictures of profiles: a person's avatar and banner. The auth service learns of each change by an event, and puts the
//! address into the profile.
pub mod events;
pub mod models;
mod schemas;
pub mod signals;
mod views;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;

/// The routes of a person's own avatar and banner.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::choose_avatar, views::remove_avatar))
        .routes(routes!(views::choose_banner, views::remove_banner))
}

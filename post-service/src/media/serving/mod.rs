//! Serving: a picture is given to the caller that has an address which allows it, as long as a post or a profile shows it.
//!
//! That is asked of the database at each request, so a picture is gone with its post. What was given stays in the caches of
//! readers until its address ends, an hour or two at most.
//!
//! | address | who gets the picture |
//! |---|---|
//! | `?grant=` of a reader | all that have it, as long as the post is published and shows it |
//! | `?grant=` of the owner | all that have it; the owner's own list and drafts have it |
//! | `?key=` | the same as a reader's without an end: feeds of other services have it, which cannot sign |
//! | without anything | all, while it is a person's avatar or banner; else its owner, by their token |
mod models;
mod ranges;
mod views;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;

/// The route of files.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::serve_media))
}

/// The route of files for other services.
pub fn internal() -> OpenApiRouter<App> {
    OpenApiRouter::new().route("/internal/media/{media_id}", axum::routing::get(views::serve_to_services))
}

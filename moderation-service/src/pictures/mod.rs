//! Pictures: what is recognised in them, and the list of those that are not wanted.
//!
//! The post service makes pictures and publishes of each what it looks like (`media_ready`): a perceptual hash of 64 bits, of which
//! copies that were scaled, recompressed or slightly changed differ in few bits. A picture whose hash is near one of the blocklist is
//! recognised; the policies say what follows, as for a text, and the decision takes the same path as all others. What is
//! decided about a picture reaches the post service as `moderation_decided` about a subject of the kind `MEDIA`.
//!
//! Hashes are near when they differ in at most `MODERATION_PICTURE_DISTANCE` bits. They are found without a scan: a hash is cut into
//! eight bands of eight bits, and of two hashes that differ in at most seven bits at least one band is equal. An index holds
//! the bands of both sides, since a new entry of the blocklist looks for the pictures that are there already.
//!
//! Where an image model is loaded, it looks at each picture afterwards ([`nudity`]), and the picture is judged once more. When the
//! post service has deleted a picture (`media_deleted`), nothing of it stays here but that it is gone.
pub mod events;
pub mod models;
pub mod nudity;
pub mod schedulers;
mod schemas;
pub mod services;
pub mod signals;
mod views;

#[cfg(test)]
pub mod tests;

use axum::Extension;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::services::PictureSettings;
use crate::core::api::errors::Error;
use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// How often an administrator may read and change the blocklist.
pub const BLOCKED_PICTURES_LIMIT: Limit = Limit {
    name: "blocked_pictures",
    routes: &[
        "GET /api/v1/moderation/pictures/blocked",
        "POST /api/v1/moderation/pictures/blocked",
        "DELETE /api/v1/moderation/pictures/blocked/{id}",
    ],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// The blocklist has this very hash.
const ALREADY_BLOCKED: Error = Error::Refused(StatusCode::CONFLICT, "The picture is blocked");
/// The picture whose hash is asked for is not known here.
const NO_PICTURE: Error = Error::Refused(StatusCode::NOT_FOUND, "Picture not found");
const NOT_BLOCKED: Error = Error::Refused(StatusCode::NOT_FOUND, "No such entry of the blocklist");

/// The routes of the blocklist.
pub fn router(settings: PictureSettings) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::list_blocked_pictures, views::block_picture))
        .routes(routes!(views::unblock_picture))
        .layer(Extension(settings))
}

//! Pictures: uploaded by people, made safe by a worker, shown by posts and profiles.
//!
//! An upload is streamed into the [`store`] and answered at once; a worker ([`processing`]) decodes it within limits and writes
//! what is served, so that no byte of an upload ever reaches another person as it came. Files are [`blobs`], found by their
//! content; what a picture is and who may see it is in Postgres and decided anew at each request ([`serving`]).
//!
//! **Locks.** Every transaction takes them in this order, those of one kind at once and in the order of ids, so that none waits for
//! another that waits for it: posts, their items (`item`), pictures (`media`), profiles (`profile_picture`), direct uploads
//! (`media_upload`), what their owners use (`media_usage`), files (`media_blob`). A change of a picture therefore locks no post: the posts that show it are published again
//! by a worker, in transactions of its own ([`republication`]).
pub mod attachments;
pub mod blobs;
pub mod decisions;
pub mod events;
pub mod grants;
pub mod library;
pub mod models;
pub mod pictures;
pub mod processing;
pub mod republication;
pub mod schemas;
mod serving;
pub mod signals;
pub mod store;
pub mod uploads;
mod views;

#[cfg(test)]
pub mod tests;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::library::MediaLibrary;
use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// What a picture is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum Purpose {
    /// Shown by posts
    Post,
    /// The picture beside a name; cut square
    Avatar,
    /// The wide picture of a profile
    Banner,
}

impl Purpose {
    /// The words of the API.
    pub const WORDS: [&str; 3] = ["POST", "AVATAR", "BANNER"];

    /// The purpose of that word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "POST" => Some(Self::Post),
            "AVATAR" => Some(Self::Avatar),
            "BANNER" => Some(Self::Banner),
            _ => None,
        }
    }
}

/// How far a picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum MediaStatus {
    /// It waits to be processed
    Uploaded,
    /// It can be shown
    Ready,
    /// It cannot be shown, for the `reason`
    Refused,
}

/// How often a user may list pictures.
pub const LIST_MEDIA_LIMIT: Limit = Limit {
    name: "media_lists",
    routes: &["GET /api/v1/me/media"],
    rate: Rate::new(120, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a user may upload a picture.
pub const UPLOAD_LIMIT: Limit = Limit {
    name: "uploads",
    routes: &["POST /api/v1/media", "POST /api/v1/media/uploads", "POST /api/v1/media/uploads/{upload_id}/complete"],
    rate: Rate::new(30, 1800),
    burst_in_development: Some(300),
    strict: false,
};

/// How often a user may change or delete a picture, or choose another avatar or banner.
pub const CHANGE_MEDIA_LIMIT: Limit = Limit {
    name: "media_changes",
    routes: &[
        "PATCH /api/v1/media/{media_id}",
        "DELETE /api/v1/media/{media_id}",
        "PUT /api/v1/me/avatar",
        "DELETE /api/v1/me/avatar",
        "PUT /api/v1/me/banner",
        "DELETE /api/v1/me/banner",
    ],
    rate: Rate::new(60, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of pictures.
pub fn router(library: &MediaLibrary) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(uploads::router(library.max_bytes))
        .routes(routes!(views::get_media, views::describe_media, views::delete_media))
        .routes(routes!(views::list_media))
        .merge(serving::router())
        .merge(pictures::router())
}

/// The routes for other services.
pub fn internal() -> OpenApiRouter<App> {
    serving::internal()
}

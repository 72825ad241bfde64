//! Uploads: a form is read as it comes, its file goes into the store piece by piece, and nothing refers to it before all of it was
//! found good. Where the store can sign addresses, clients may write into it themselves ([`direct`]).
pub mod direct;
mod receiving;
mod schemas;
mod signals;
mod views;

use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;

/// What a form has beside its file, in bytes: a description of 1,500 characters, and the lines between parts.
const FORM_BYTES: usize = 64 * 1024;

/// The routes of uploads; `max_bytes` is the limit of a file.
pub fn router(max_bytes: u64) -> OpenApiRouter<App> {
    let limit = usize::try_from(max_bytes).unwrap_or(usize::MAX).saturating_add(FORM_BYTES);
    OpenApiRouter::new()
        .routes(routes!(views::upload_media))
        .layer(DefaultBodyLimit::max(limit))
        .merge(direct::router())
}

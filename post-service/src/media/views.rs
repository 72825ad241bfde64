//! The routes of a person's own pictures.
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};

use super::library::MediaLibrary;
use super::models::Media;
use super::schemas::{AltIn, MediaOut};
use super::signals;
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract::{Json as Body, Path};
use crate::posts::checks::PublicationCheck;

/// The refusal where the caller has no such picture.
const NO_SUCH_MEDIA: Error = Error::Refused(StatusCode::NOT_FOUND, "Media not found");

/// List the caller's pictures, newest first
#[utoipa::path(get, path = "/me/media", tag = "media", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<MediaOut>),
))]
pub async fn list_media(
    user: User,
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    page: Page,
) -> Result<Response, Error> {
    let media = Media::list(&app.db, user.id, page.before, page.rows()).await?;
    let media: Vec<_> = media.into_iter().map(|media| MediaOut::new(media, &library.urls)).collect();
    Ok(page.answer(media, |media| (media.created_at, media.id)))
}

/// Read how far one of the caller's pictures is
#[utoipa::path(get, path = "/media/{media_id}", tag = "media", params(("media_id" = uuid::Uuid, Path)), responses(
    (status = 200, body = MediaOut),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn get_media(
    user: User,
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    Path(id): Path,
) -> Result<Json<MediaOut>, Error> {
    let media = Media::find(&app.db, id, user.id).await?.ok_or(NO_SUCH_MEDIA)?;
    Ok(Json(MediaOut::new(media, &library.urls)))
}

/// Describe one of the caller's pictures for those who do not see it
#[utoipa::path(patch, path = "/media/{media_id}", tag = "media", params(("media_id" = uuid::Uuid, Path)),
    request_body = AltIn, responses(
    (status = 200, body = MediaOut),
    (status = 404, body = Problem),
    (status = 422, body = Problem, description = "Also when a published post shows the picture, and moderation would hide the words"),
))]
pub async fn describe_media(
    user: User,
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    Extension(check): Extension<Arc<PublicationCheck>>,
    Path(id): Path,
    Body(AltIn { alt }): Body<AltIn>,
) -> Result<Json<MediaOut>, Error> {
    Media::find(&app.db, id, user.id).await?.ok_or(NO_SUCH_MEDIA)?;
    check.described(&app.db, id, &alt).await?;
    let mut tx = app.db.begin().await?;
    if !Media::describe(&mut tx, id, user.id, &alt).await? {
        return Err(NO_SUCH_MEDIA);
    }
    signals::changed(&mut tx, &[id]).await?;
    let media = Media::find(&mut *tx, id, user.id).await?.ok_or(NO_SUCH_MEDIA)?;
    app.commit_with_answer(tx).await?;
    Ok(Json(MediaOut::new(media, &library.urls)))
}

/// Delete one of the caller's pictures: posts and profiles show it no longer
#[utoipa::path(delete, path = "/media/{media_id}", tag = "media", params(("media_id" = uuid::Uuid, Path)), responses(
    (status = 204),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn delete_media(user: User, State(app): State<App>, Path(id): Path) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    Media::find(&mut *tx, id, user.id).await?.ok_or(NO_SUCH_MEDIA)?;
    signals::deleted(&mut tx, &[id]).await?;
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! The routes of a person's own avatar and banner.
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use super::models::ProfilePicture;
use super::schemas::{PictureChoice, PictureOut};
use super::signals;
use crate::core::api::errors::{Error, Problem};
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract::Json as Body;
use crate::media::Purpose;
use crate::media::library::MediaLibrary;

/// Show one of the caller's pictures as their avatar
#[utoipa::path(put, path = "/me/avatar", tag = "media", request_body = PictureChoice, responses(
    (status = 200, body = PictureOut),
    (status = 404, body = Problem, description = "No such picture of the caller that was uploaded as AVATAR and is READY"),
))]
pub async fn choose_avatar(
    user: User,
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    Body(choice): Body<PictureChoice>,
) -> Result<Json<PictureOut>, Error> {
    choose(&app, &library, &user, Purpose::Avatar, &choice).await
}

/// Show no avatar
#[utoipa::path(delete, path = "/me/avatar", tag = "media", responses((status = 204)))]
pub async fn remove_avatar(
    user: User,
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
) -> Result<StatusCode, Error> {
    remove(&app, &library, &user, Purpose::Avatar).await
}

/// Show one of the caller's pictures as the banner of their profile
#[utoipa::path(put, path = "/me/banner", tag = "media", request_body = PictureChoice, responses(
    (status = 200, body = PictureOut),
    (status = 404, body = Problem, description = "No such picture of the caller that was uploaded as BANNER and is READY"),
))]
pub async fn choose_banner(
    user: User,
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    Body(choice): Body<PictureChoice>,
) -> Result<Json<PictureOut>, Error> {
    choose(&app, &library, &user, Purpose::Banner, &choice).await
}

/// Show no banner
#[utoipa::path(delete, path = "/me/banner", tag = "media", responses((status = 204)))]
pub async fn remove_banner(
    user: User,
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
) -> Result<StatusCode, Error> {
    remove(&app, &library, &user, Purpose::Banner).await
}

async fn choose(
    app: &App,
    library: &MediaLibrary,
    user: &User,
    purpose: Purpose,
    choice: &PictureChoice,
) -> Result<Json<PictureOut>, Error> {
    let mut tx = app.db.begin().await?;
    let media_id = choice.media_id;
    ProfilePicture::lock(&mut tx, user.id, purpose, Some(media_id)).await?;
    if !ProfilePicture::is_ready(&mut tx, user.id, media_id, purpose).await? {
        return Err(Error::Refused(StatusCode::NOT_FOUND, "Media not found"));
    }
    if let Some(change) = ProfilePicture::choose(&mut tx, user.id, purpose, Some(media_id)).await? {
        signals::chosen(&mut tx, &library.urls, &change).await?;
    }
    app.commit_with_answer(tx).await?;
    Ok(Json(PictureOut { purpose, media_id, url: library.urls.path(media_id, signals::SHOWN) }))
}

async fn remove(app: &App, library: &MediaLibrary, user: &User, purpose: Purpose) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    ProfilePicture::lock(&mut tx, user.id, purpose, None).await?;
    if let Some(change) = ProfilePicture::choose(&mut tx, user.id, purpose, None).await? {
        signals::chosen(&mut tx, &library.urls, &change).await?;
    }
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

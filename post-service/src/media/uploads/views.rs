//! The route of uploads.
use std::sync::Arc;

use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use uuid::Uuid;

use super::receiving::{ReceivedFile, discard, receive};
use super::schemas::UploadForm;
use super::signals::{NewPicture, QUOTA_EXCEEDED, counted, stored};
use crate::core::api::errors::{Error, Problem};
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract::unreadable;
use crate::media::library::MediaLibrary;
use crate::media::models::{Media, used_bytes};
use crate::media::schemas::MediaOut;

/// Upload a picture; it is processed in the background, and `GET /media/{media_id}` says how far that is
#[utoipa::path(post, path = "/media", tag = "media",
    request_body(content = UploadForm, content_type = "multipart/form-data"), responses(
    (status = 202, body = MediaOut, description = "The picture, which waits to be processed"),
    (status = 400, body = Problem, description = "The body is no form, or broke off"),
    (status = 409, body = Problem, description = "The caller's pictures would be larger than their quota"),
    (status = 413, body = Problem, description = "The file is too large"),
    (status = 415, body = Problem, description = "The content is no JPEG, PNG, WebP or GIF"),
))]
pub async fn upload_media(
    user: User,
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<(StatusCode, Json<MediaOut>), Response> {
    let form = form.map_err(|_| unreadable())?;
    let stored = used_bytes(&app.db, user.id).await.map_err(|cause| Error::from(cause).into_response())?;
    if stored >= library.quota_bytes {
        counted("quota");
        return Err(QUOTA_EXCEEDED.into_response());
    }
    let (file, fields) = receive(&library, form).await.inspect_err(|_| counted("refused"))?;
    let blob = file.blob;
    match save(&app, &library, &user, &file, &fields).await {
        Ok((media, kept)) => {
            if kept != blob {
                // The same bytes are there already.
                discard(&library, blob).await;
            }
            counted("accepted");
            Ok((StatusCode::ACCEPTED, Json(MediaOut::new(media, &library.urls))))
        }
        Err(refusal) => {
            discard_unless_unsure(&library, &refusal, blob).await;
            Err(refusal.into_response())
        }
    }
}

/// A commit whose answer was lost may have happened: then the file is left, and the sweep finds out.
async fn discard_unless_unsure(library: &MediaLibrary, refusal: &Error, blob: Uuid) {
    if matches!(refusal, Error::Refused(..)) {
        discard(library, blob).await;
    }
}

/// Saves a picture whose file is in the store; with the blob that has its bytes.
async fn save(
    app: &App,
    library: &MediaLibrary,
    user: &User,
    file: &ReceivedFile,
    fields: &UploadForm,
) -> Result<(Media, Uuid), Error> {
    let mut tx = app.db.begin().await?;
    let picture = NewPicture { id: Uuid::now_v7(), owner: user.id, purpose: fields.purpose, alt: &fields.alt };
    let saved = stored(&mut tx, library, file, &picture).await?;
    app.commit_with_answer(tx).await?;
    Ok(saved)
}

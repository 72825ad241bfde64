//! The route of uploads.
use std::sync::Arc;

use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};

use super::receiving::{ReceivedFile, discard, receive};
use super::schemas::UploadForm;
use crate::core::api::errors::{Error, Problem};
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract::unreadable;
use crate::media::blobs::models::Blob;
use crate::media::library::MediaLibrary;
use crate::media::models::{Media, Upload};
use crate::media::schemas::MediaOut;

/// The refusal where the owner's pictures together would be too large.
const QUOTA_EXCEEDED: Error =
    Error::Refused(StatusCode::CONFLICT, "Your pictures use up your quota; delete some of them first");

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
    let stored_bytes = Media::used_bytes(&app.db, user.id).await.map_err(|cause| Error::from(cause).into_response())?;
    if stored_bytes >= library.quota_bytes {
        metrics::counter!("media_uploads_total", "outcome" => "quota").increment(1);
        return Err(QUOTA_EXCEEDED.into_response());
    }
    let (file, fields) = receive(&library, form).await.inspect_err(|_| {
        metrics::counter!("media_uploads_total", "outcome" => "refused").increment(1);
    })?;
    let blob = file.blob;
    match save(&app, &library, &user, &file, &fields).await {
        Ok((media, stored)) => {
            if stored != blob {
                // The same bytes are there already.
                discard(&library, blob).await;
            }
            metrics::counter!("media_uploads_total", "outcome" => "accepted").increment(1);
            Ok((StatusCode::ACCEPTED, Json(MediaOut::new(media, &library.urls))))
        }
        Err(refusal) => {
            discard_unless_unsure(&library, &refusal, blob).await;
            Err(refusal.into_response())
        }
    }
}

/// A commit whose answer was lost may have happened: then the file is left, and the sweep finds out.
async fn discard_unless_unsure(library: &MediaLibrary, refusal: &Error, blob: uuid::Uuid) {
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
) -> Result<(Media, uuid::Uuid), Error> {
    let bytes = i64::try_from(file.bytes).unwrap_or(i64::MAX);
    let (content_type, sha256) = (file.content_type, file.sha256.clone());
    let new = Blob { id: file.blob, content_type: content_type.to_owned(), bytes, sha256 };
    let mut tx = app.db.begin().await?;
    let blob = Blob::find_or_create(&mut tx, &new).await?;
    let (owner, purpose, alt) = (user.id, fields.purpose, fields.alt.as_str());
    let upload = Upload { owner, purpose, content_type, bytes, sha256: &file.sha256, alt, blob };
    let media = Media::create(&mut tx, &upload, library.quota_bytes).await?.ok_or(QUOTA_EXCEEDED)?;
    app.commit_with_answer(tx).await?;
    Ok((media, blob))
}

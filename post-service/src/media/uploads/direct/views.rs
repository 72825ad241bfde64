//! The routes of direct uploads.
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use chrono::Utc;
use uuid::Uuid;

use super::models::DirectUpload;
use super::schemas::{DirectUploadIn, DirectUploadOut};
use super::services::take_over;
use super::{LIFETIME, signals};
use crate::core::api::errors::{Error, Problem};
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract::{Json as Body, Path};
use crate::core::contract::timestamp::Timestamp;
use crate::media::library::MediaLibrary;
use crate::media::models::Media;
use crate::media::schemas::MediaOut;
use crate::media::store::UPLOAD_TYPE;
use crate::media::uploads::receiving::{discard, store_is_away, too_large};
use crate::media::uploads::signals::{QUOTA_EXCEEDED, counted};

/// The refusal where the store is a folder.
const CANNOT_SIGN: Error =
    Error::Refused(StatusCode::CONFLICT, "Pictures are not uploaded to the store here; send the file to POST /media");
const NO_SUCH_UPLOAD: Error = Error::Refused(StatusCode::NOT_FOUND, "Upload not found");

/// Get an address to which a picture can be uploaded without passing the service
///
/// The file is written by one request, as `method`, `url` and `headers` say, and then completed. It is for platforms whose pictures
/// are in a bucket; where they are in a folder, the answer is 409, and the file goes to `POST /media`.
#[utoipa::path(post, path = "/media/uploads", tag = "media", request_body = DirectUploadIn, responses(
    (status = 201, body = DirectUploadOut, description = "Where to write the file, within a quarter of an hour"),
    (status = 409, body = Problem, description = "The store of this platform takes no direct uploads, or the caller's pictures would be larger than their quota"),
    (status = 413, body = Problem, description = "The file is too large"),
))]
pub async fn begin_upload(
    user: User,
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    Body(body): Body<DirectUploadIn>,
) -> Result<(StatusCode, Json<DirectUploadOut>), Error> {
    if body.bytes.unsigned_abs() > library.max_bytes {
        return Err(too_large(&library));
    }
    let (id, expires_at) = (Uuid::now_v7(), Timestamp(Utc::now() + LIFETIME));
    let url =
        library.store.sign_upload(id, LIFETIME).await.ok_or(CANNOT_SIGN)?.map_err(|cause| store_is_away(&cause))?;
    let DirectUploadIn { purpose, bytes, alt } = body;
    let mut tx = app.db.begin().await?;
    let upload = DirectUpload { id, created_by: user.id, purpose, alt, bytes, expires_at };
    if !upload.create(&mut tx, library.quota_bytes).await? {
        counted("quota");
        return Err(QUOTA_EXCEEDED);
    }
    app.commit_with_answer(tx).await?;
    let headers = BTreeMap::from([("content-type", UPLOAD_TYPE)]);
    Ok((StatusCode::CREATED, Json(DirectUploadOut { id, url, method: "PUT", headers, expires_at })))
}

/// Complete an upload whose file is in the store: it becomes a picture, which is processed in the background
///
/// Said again, it is answered with the picture. A file that is refused can be uploaded again as long as the address is good.
#[utoipa::path(post, path = "/media/uploads/{upload_id}/complete", tag = "media", params(("upload_id" = uuid::Uuid, Path)), responses(
    (status = 202, body = MediaOut, description = "The picture, which has the id of the upload"),
    (status = 404, body = Problem, description = "The caller has no such upload, or its address expired an hour ago"),
    (status = 409, body = Problem, description = "The file is not there yet, or has another size than was announced; or the caller's pictures would be larger than their quota"),
    (status = 413, body = Problem, description = "The file is too large"),
    (status = 415, body = Problem, description = "The content is no JPEG, PNG, WebP or GIF"),
    (status = 422, body = Problem),
))]
pub async fn complete_upload(
    user: User,
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    Path(id): Path,
) -> Result<(StatusCode, Json<MediaOut>), Error> {
    let completed = match DirectUpload::find(&app.db, id, user.id).await? {
        Some(upload) => complete(&app, &library, &upload).await,
        None => Ok(None),
    };
    let media = match completed {
        Ok(Some(media)) => media,
        // It may have been completed before, or at the same moment by another request, and what was uploaded be deleted already.
        other => match Media::find(&app.db, id, user.id).await? {
            Some(media) => media,
            None => return Err(other.err().unwrap_or(NO_SUCH_UPLOAD)),
        },
    };
    Ok((StatusCode::ACCEPTED, Json(MediaOut::new(media, &library.urls))))
}

/// Makes a picture of what was uploaded; none when another request was faster.
async fn complete(app: &App, library: &MediaLibrary, upload: &DirectUpload) -> Result<Option<Media>, Error> {
    let file = take_over(library, upload).await.inspect_err(|_| counted("refused"))?;
    let mut tx = app.db.begin().await?;
    let outcome = match signals::completed(&mut tx, library, upload, &file).await {
        Ok(Some(done)) => app.commit_with_answer(tx).await.map(|()| Some(done)).map_err(Error::from),
        other => other,
    };
    match outcome {
        Ok(Some((media, blob))) => {
            if blob != file.blob {
                // The same bytes are there already.
                discard(library, file.blob).await;
            }
            counted("accepted");
            Ok(Some(media))
        }
        Ok(None) => {
            discard(library, file.blob).await;
            Ok(None)
        }
        Err(refusal) => {
            // A commit whose answer was lost may have happened: then the file is left, and the sweep finds out.
            if matches!(refusal, Error::Refused(..)) {
                discard(library, file.blob).await;
            }
            Err(refusal)
        }
    }
}

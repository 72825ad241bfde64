//! What follows when the file of a picture is in the store, in the same transaction.
use axum::http::StatusCode;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::receiving::ReceivedFile;
use crate::core::api::errors::Error;
use crate::media::Purpose;
use crate::media::blobs::models::Blob;
use crate::media::library::MediaLibrary;
use crate::media::models::{Media, Upload, lock_used_bytes};

/// The refusal where the owner's pictures together would be too large.
pub const QUOTA_EXCEEDED: Error =
    Error::Refused(StatusCode::CONFLICT, "Your pictures use up your quota; delete some of them first");

/// What its owner says of a picture whose file is in the store.
pub struct NewPicture<'a> {
    pub id: Uuid,
    pub owner: Uuid,
    pub purpose: Purpose,
    pub alt: &'a str,
}

/// A file has become a picture, unless its owner's would then be larger than their quota; with the blob that has its bytes.
pub async fn stored(
    tx: &mut PgTransaction<'_>,
    library: &MediaLibrary,
    file: &ReceivedFile,
    picture: &NewPicture<'_>,
) -> Result<(Media, Uuid), Error> {
    let bytes = i64::try_from(file.bytes).unwrap_or(i64::MAX);
    let used = lock_used_bytes(tx, picture.owner).await?;
    if used.saturating_add(bytes) > library.quota_bytes {
        return Err(QUOTA_EXCEEDED);
    }
    let (content_type, sha256) = (file.content_type, file.sha256.clone());
    let new = Blob { id: file.blob, content_type: content_type.to_owned(), bytes, sha256 };
    let blob = Blob::find_or_create(tx, &new).await?;
    let NewPicture { id, owner, purpose, alt } = *picture;
    let upload = Upload { id, owner, purpose, content_type, bytes, sha256: &file.sha256, alt, blob };
    Ok((Media::create(tx, &upload).await?, blob))
}

/// An upload has ended: it is counted.
pub fn counted(outcome: &'static str) {
    metrics::counter!("media_uploads_total", "outcome" => outcome).increment(1);
}

//! Takes over what a client has written into the store: checks its size, copies it out of the client's reach, and looks at the copy.
use axum::http::StatusCode;
use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::models::DirectUpload;
use crate::core::api::errors::Error;
use crate::media::library::MediaLibrary;
use crate::media::uploads::receiving::{
    MAGIC_BYTES, NO_PICTURE, ReceivedFile, discard, sniff, store_is_away, too_large,
};

const NOT_UPLOADED: Error = Error::Refused(StatusCode::CONFLICT, "The file has not been uploaded yet");
const OTHER_SIZE: Error =
    Error::Refused(StatusCode::CONFLICT, "The file has another size than was announced; upload it again");

/// The file of an upload, under a key of its own. When it is refused, nothing of it stays but the upload, which can be written again.
pub async fn take_over(library: &MediaLibrary, upload: &DirectUpload) -> Result<ReceivedFile, Error> {
    let size = library.store.incoming_size(upload.id).await.map_err(|cause| store_is_away(&cause))?;
    let size = size.ok_or(NOT_UPLOADED)?;
    let taken = if size > library.max_bytes {
        Err(too_large(library))
    } else if size != upload.bytes.unsigned_abs() {
        Err(OTHER_SIZE)
    } else {
        copy(library, upload).await
    };
    if matches!(
        taken,
        Err(Error::TooLarge(_) | Error::Refused(StatusCode::CONFLICT | StatusCode::UNSUPPORTED_MEDIA_TYPE, _))
    ) {
        delete_incoming(library, upload.id).await;
    }
    taken
}

/// Deletes what a client has written; what cannot be deleted now is left to the sweep.
async fn delete_incoming(library: &MediaLibrary, upload: Uuid) {
    if let Err(cause) = library.store.delete_incoming(upload).await {
        tracing::warn!(%upload, error = %cause, "what was uploaded is left to the sweep");
    }
}

async fn copy(library: &MediaLibrary, upload: &DirectUpload) -> Result<ReceivedFile, Error> {
    let blob = Uuid::now_v7();
    library.store.take_over(upload.id, blob).await.map_err(|cause| store_is_away(&cause))?;
    let looked_at = look_at(library, upload, blob).await;
    if looked_at.is_err() {
        discard(library, blob).await;
    }
    looked_at
}

/// What the copy is: it may be another one than was measured a moment ago.
async fn look_at(library: &MediaLibrary, upload: &DirectUpload, blob: Uuid) -> Result<ReceivedFile, Error> {
    let away = |cause: object_store::Error| store_is_away(&cause);
    let mut content = library.store.stream(blob, None).await.map_err(away)?;
    let (mut head, mut hash, mut bytes) = (Vec::new(), Sha256::new(), 0_u64);
    while let Some(piece) = content.try_next().await.map_err(away)? {
        head.extend(piece.iter().take(MAGIC_BYTES.saturating_sub(head.len())));
        hash.update(&piece);
        bytes += piece.len() as u64;
    }
    if bytes != upload.bytes.unsigned_abs() {
        return Err(OTHER_SIZE);
    }
    let content_type = sniff(&head).ok_or(NO_PICTURE)?;
    Ok(ReceivedFile { blob, content_type, bytes, sha256: hash.finalize().to_vec() })
}

//! Reads a form with a file: the file goes into the store piece by piece, hashed and counted on its way, and what is in memory of it
//! is one piece of the network and one part of the store. What it is, its first bytes say, before anything is stored.
use axum::body::Bytes;
use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::schemas::UploadForm;
use crate::core::api::errors::Error;
use crate::core::contract::extract::unreadable;
use crate::core::contract::fields::{Fields, invalid};
use crate::media::library::MediaLibrary;

/// The longest text of a form, in bytes: 1,500 characters of four.
const MAX_TEXT: usize = 8 * 1024;
/// The most parts of a form; three are known.
const MAX_PARTS: usize = 8;
/// The bytes by which a kind of file is known.
pub const MAGIC_BYTES: usize = 12;

/// The refusal of a file that is no picture.
pub const NO_PICTURE: Error =
    Error::Refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The file must be a JPEG, PNG, WebP or GIF");

/// A file that is in the store, and to which nothing refers yet.
pub struct ReceivedFile {
    pub blob: Uuid,
    pub content_type: &'static str,
    pub bytes: u64,
    pub sha256: Vec<u8>,
}

/// The type of a picture by its first bytes; none when it is none that is shown. SVG and HTML never are: they can hold scripts.
pub fn sniff(head: &[u8]) -> Option<&'static str> {
    match head {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// The answer while the store does not work.
pub fn store_is_away(cause: &object_store::Error) -> Error {
    tracing::error!(error = %cause, "the store of pictures refused");
    metrics::counter!("media_store_failures_total").increment(1);
    Error::Refused(StatusCode::SERVICE_UNAVAILABLE, "Pictures cannot be stored at the moment")
}

/// Reads a form. When it is refused, nothing of its file stays.
pub async fn receive(library: &MediaLibrary, mut form: Multipart) -> Result<(ReceivedFile, UploadForm), Response> {
    let mut file = None;
    let outcome = read_parts(library, &mut form, &mut file).await;
    let fields = match outcome {
        Ok(texts) if file.is_some() => {
            Fields::read::<UploadForm>(texts).map_err(|errors| Error::Invalid(errors).into_response())
        }
        Ok(_) => Err(missing_file()),
        Err(refusal) => Err(refusal),
    };
    match (fields, file) {
        (Ok(fields), Some(file)) => Ok((file, fields)),
        (Err(refusal), Some(file)) => {
            discard(library, file.blob).await;
            Err(refusal)
        }
        (Err(refusal), None) => Err(refusal),
        (Ok(_), None) => Err(missing_file()),
    }
}

/// Deletes a file to which nothing refers; one that cannot be deleted now is left to the sweep.
pub async fn discard(library: &MediaLibrary, blob: Uuid) {
    if let Err(cause) = library.store.delete(blob).await {
        tracing::warn!(%blob, error = %cause, "a refused file is left to the sweep");
    }
}

fn missing_file() -> Response {
    Error::Invalid(vec![invalid(&["body", "file"], "field required", "value_error.missing", None)]).into_response()
}

/// Reads all parts: the texts, and the file into the store.
async fn read_parts(
    library: &MediaLibrary,
    form: &mut Multipart,
    file: &mut Option<ReceivedFile>,
) -> Result<Map<String, Value>, Response> {
    let refuse = |error: MultipartError| refuse_form(library, &error);
    let mut texts = Map::new();
    for _ in 0..MAX_PARTS {
        let Some(part) = form.next_field().await.map_err(refuse)? else { return Ok(texts) };
        match part.name().unwrap_or_default().to_owned().as_str() {
            "file" if file.is_none() => *file = Some(store_file(library, part).await?),
            "file" => {
                let twice = invalid(&["body", "file"], "one file is allowed", "value_error.list.max_items", None);
                return Err(Error::Invalid(vec![twice]).into_response());
            }
            name => {
                let text = read_text(library, part, name).await?;
                texts.insert(name.to_owned(), text.into());
            }
        }
    }
    Err(unreadable())
}

fn refuse_form(library: &MediaLibrary, error: &MultipartError) -> Response {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large(library).into_response();
    }
    unreadable()
}

/// The refusal of a file that is larger than a picture may be.
pub fn too_large(library: &MediaLibrary) -> Error {
    Error::TooLarge(usize::try_from(library.max_bytes).unwrap_or(usize::MAX))
}

/// A part that is a text.
async fn read_text(library: &MediaLibrary, mut part: Field<'_>, name: &str) -> Result<String, Response> {
    let mut bytes = Vec::new();
    while let Some(piece) = part.chunk().await.map_err(|error| refuse_form(library, &error))? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > MAX_TEXT {
            let msg = format!("ensure this value has at most {MAX_TEXT} bytes");
            let long = invalid(&["body", name], msg, "value_error.any_str.max_length", None);
            return Err(Error::Invalid(vec![long]).into_response());
        }
    }
    String::from_utf8(bytes).map_err(|_| unreadable())
}

/// Streams the part that is the file into the store.
async fn store_file(library: &MediaLibrary, mut part: Field<'_>) -> Result<ReceivedFile, Response> {
    let refuse = |error: MultipartError| refuse_form(library, &error);
    let away = |cause: object_store::Error| store_is_away(&cause).into_response();
    let mut head = Vec::new();
    while head.len() < MAGIC_BYTES {
        let Some(piece) = part.chunk().await.map_err(refuse)? else { break };
        head.extend_from_slice(&piece);
    }
    let content_type = sniff(&head).ok_or_else(|| NO_PICTURE.into_response())?;
    let blob = Uuid::now_v7();
    let mut object = library.store.create(blob).await.map_err(away)?;
    let (mut hash, mut bytes, mut next) = (Sha256::new(), 0_u64, Some(Bytes::from(head)));
    while let Some(piece) = next {
        bytes += piece.len() as u64;
        hash.update(&piece);
        let refused = if bytes > library.max_bytes {
            Some(too_large(library).into_response())
        } else {
            object.write(piece).await.err().map(away)
        };
        if let Some(refusal) = refused {
            object.abort().await;
            return Err(refusal);
        }
        next = match part.chunk().await {
            Ok(next) => next,
            Err(error) => {
                object.abort().await;
                return Err(refuse(error));
            }
        };
    }
    object.finish().await.map_err(away)?;
    Ok(ReceivedFile { blob, content_type, bytes, sha256: hash.finalize().to_vec() })
}

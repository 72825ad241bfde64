//! The routes of files.
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use uuid::Uuid;

use super::models::{ServedFile, is_shown_by_post, is_shown_with_key};
use super::ranges::{RequestedPart, read_range};
use crate::core::api::errors::{Error, Problem};
use crate::core::app::App;
use crate::core::app::identity::bearer;
use crate::core::contract::extract::{Path, Query};
use crate::core::doors::callers::{EvenMuted, Operator};
use crate::media::blobs::hex;
use crate::media::grants::Grant;
use crate::media::library::MediaLibrary;

/// How long caches keep a picture whose address has no end: as long as one with an end lasts at least.
const UNSIGNED_AGE: Duration = Duration::from_hours(1);
/// What a file may do in a browser, even if one took it for a page: nothing.
const POLICY: &str = "sandbox; default-src 'none'";
/// The refusal of what is not there, or is not to be seen.
const NO_SUCH_MEDIA: Error = Error::Refused(StatusCode::NOT_FOUND, "Media not found");

/// Read a file of a picture: `thumbnail` (320 pixels), `medium` (1080), or `original` of an animation
///
/// Addresses with a grant come with posts and pictures; they need no token. Without one, the file of an avatar or a banner is
/// answered to all, and any other to its owner. `Range` asks for a part, `If-None-Match` whether it has changed.
#[utoipa::path(get, path = "/media/{media_id}/{rendition}", tag = "media", security(()), params(
    ("media_id" = uuid::Uuid, Path),
    ("rendition" = String, Path, max_length = 9, description = "`thumbnail`, `medium` or `original`", example = "thumbnail"),
    ("grant" = Option<String>, Query, max_length = 100, description = "What the address allows, signed"),
    ("key" = Option<String>, Query, max_length = 36, description = "The key that a feed has of a post's picture"),
), responses(
    (status = 200, description = "The file", content_type = "image/jpeg", body = String),
    (status = 206, description = "The range of it that was asked for", content_type = "image/jpeg", body = String),
    (status = 304, description = "The client has it"),
    (status = 404, body = Problem, description = "There is none, or it is not shown to the caller"),
    (status = 416, body = Problem, description = "The range lies behind the end"),
))]
pub async fn serve_media(
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    Path(media): Path,
    params: RawPathParams,
    request: Request,
) -> Result<Response, Error> {
    let (mut parts, _) = request.into_parts();
    let rendition = params.iter().find(|(name, _)| *name == "rendition").map_or("", |(_, value)| value);
    let file = ServedFile::find(&app.db, media, rendition).await?.ok_or(NO_SUCH_MEDIA)?;
    let cache = allowed(&app, &library, media, &file, &mut parts).await?.ok_or(NO_SUCH_MEDIA)?;
    metrics::counter!("media_served_total", "rendition" => rendition.to_owned()).increment(1);
    answer(&library, &file, &parts.headers, &cache).await
}

/// The medium rendition of a picture for another service, shown or not.
pub async fn serve_to_services(
    _: Operator,
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    Path(media): Path,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let file = ServedFile::find(&app.db, media, "medium").await?.ok_or(NO_SUCH_MEDIA)?;
    answer(&library, &file, &headers, "no-store").await
}

/// How caches may keep a file for this request; none when the caller does not get it.
async fn allowed(
    app: &App,
    library: &MediaLibrary,
    media: Uuid,
    file: &ServedFile,
    parts: &mut Parts,
) -> Result<Option<String>, Error> {
    let query = Query::from_request_parts(parts, app).await?;
    let public = |age: Duration| format!("public, max-age={}, immutable", age.as_secs());
    if let Some(token) = query.get("grant") {
        let Some((grant, left)) = library.urls.check(media, token, Utc::now().timestamp().unsigned_abs()) else {
            return Ok(None);
        };
        let allowed = match grant {
            Grant::Owner => return Ok(Some(format!("private, max-age={}, immutable", left.as_secs()))),
            Grant::Reader { post } => !file.hidden && is_shown_by_post(&app.db, media, post).await?,
        };
        return Ok(allowed.then(|| public(left)));
    }
    if let Some(key) = query.get("key") {
        let Ok(key) = Uuid::try_parse(key) else { return Ok(None) };
        let allowed = !file.hidden && is_shown_with_key(&app.db, media, key).await?;
        return Ok(allowed.then(|| public(UNSIGNED_AGE)));
    }
    if file.on_profile && !file.hidden {
        return Ok(Some(public(UNSIGNED_AGE)));
    }
    if bearer(&parts.headers).is_none() {
        return Ok(None);
    }
    let EvenMuted(user) = EvenMuted::from_request_parts(parts, app).await?;
    Ok((user.id == file.owner).then(|| "no-store".to_owned()))
}

/// The file, or the part of it that is asked for, or that the client has it.
async fn answer(library: &MediaLibrary, file: &ServedFile, asked: &HeaderMap, cache: &str) -> Result<Response, Error> {
    let text = |name: HeaderName| asked.get(name).and_then(|value| value.to_str().ok());
    let tag = format!("\"{}\"", hex(&file.sha256));
    let length = file.bytes.unsigned_abs();
    let mut headers = HeaderMap::new();
    let mut set = |name: HeaderName, value: &str| match HeaderValue::from_str(value) {
        Ok(value) => drop(headers.insert(name, value)),
        Err(cause) => tracing::error!(%name, error = %cause, "a header was left out"),
    };
    set(header::ETAG, &tag);
    set(header::CACHE_CONTROL, cache);
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
    let has =
        |list: &str| list.split(',').map(|tag| tag.trim().trim_start_matches("W/")).any(|one| one == tag || one == "*");
    if text(header::IF_NONE_MATCH).is_some_and(has) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    set(header::CONTENT_TYPE, &file.content_type);
    set(header::CONTENT_DISPOSITION, "inline");
    set(header::ACCEPT_RANGES, "bytes");
    let unchanged = text(header::IF_RANGE).is_none_or(|of| of == tag);
    let part = match read_range(text(header::RANGE).filter(|_| unchanged), length) {
        RequestedPart::Whole => None,
        RequestedPart::Part(part) => Some(part),
        RequestedPart::Nowhere => {
            let refusal = Error::Refused(StatusCode::RANGE_NOT_SATISFIABLE, "The range lies behind the end");
            return Ok(([(header::CONTENT_RANGE, format!("bytes */{length}"))], refusal).into_response());
        }
    };
    let status = if part.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    if let Some(part) = &part {
        set(header::CONTENT_RANGE, &format!("bytes {}-{}/{length}", part.start, part.end - 1));
    }
    set(header::CONTENT_LENGTH, &part.as_ref().map_or(length, |part| part.end - part.start).to_string());
    let content = library.store.stream(file.blob, part).await.map_err(|cause| {
        tracing::error!(error = %cause, "the store of pictures refused");
        metrics::counter!("media_store_failures_total").increment(1);
        Error::Refused(StatusCode::SERVICE_UNAVAILABLE, "The picture cannot be read at the moment")
    })?;
    Ok((status, headers, Body::from_stream(content)).into_response())
}

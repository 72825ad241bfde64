//! Lets a client that has read a post or a list ask whether it is still the same (RFC 9110, 13.1.2), and answers 304 without a body then.
//!
//! What a reader gets depends on more than the version of a post: counters, pictures and their addresses, blocks, the item. So the tag is
//! made of the answer itself, and nothing that is in it can be forgotten. It is a weak one: the gateway may compress the answer.
use anyhow::Context;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, LINK, VARY};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::core::api::errors::Error;
use crate::media::blobs::hex;

/// The bytes of the hash that are sent: two answers of one address are never taken for one another by chance.
const TAG_BYTES: usize = 16;

/// Gives the good answers to reads their tags, and answers those with 304 whose reader has them.
pub async fn revalidate(request: Request, next: Next) -> Response {
    let reads = request.method() == Method::GET;
    let known = request.headers().get(IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    if !reads || response.status() != StatusCode::OK {
        return response;
    }
    tagged(response, known.as_ref()).await.unwrap_or_else(|cause| Error::Internal(cause).into_response())
}

async fn tagged(response: Response, known: Option<&HeaderValue>) -> anyhow::Result<Response> {
    let (mut parts, body) = response.into_parts();
    let content = to_bytes(body, usize::MAX).await.context("an answer broke off")?;
    let mut hash = Sha256::new();
    hash.update(&content);
    // A page that is followed by another one from now on is another answer.
    hash.update(parts.headers.get(LINK).map(HeaderValue::as_bytes).unwrap_or_default());
    let tag = format!("\"{}\"", hex(&hash.finalize()[..TAG_BYTES]));
    parts.headers.insert(ETAG, HeaderValue::try_from(format!("W/{tag}"))?);
    // Kept by the reader alone, and asked about each time.
    parts.headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    parts.headers.append(VARY, HeaderValue::from_static("authorization"));
    if known.and_then(|known| known.to_str().ok()).is_some_and(|known| names(known, &tag)) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(CONTENT_TYPE);
        parts.headers.remove(CONTENT_LENGTH);
        return Ok(Response::from_parts(parts, Body::empty()));
    }
    Ok(Response::from_parts(parts, Body::from(content)))
}

/// Whether a list of tags has this one, weak or not, or stands for all.
fn names(list: &str, tag: &str) -> bool {
    list.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}

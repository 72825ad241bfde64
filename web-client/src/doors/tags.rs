//! Entity tags of pages: a browser that has a page asks whether it is still the same, and is not sent it a second time.
//!
//! A tag is a hash of the page as it was written for its reader, so what has the same tag is the same letter by letter, whoever asks.
//! A page that comes with a cookie has none: it changes what the browser has.
use std::hash::{DefaultHasher, Hasher};

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Tags a page that was read, and answers that it is the same where the browser has it.
pub async fn tag(request: Request, next: Next) -> Response {
    let is_read = request.method() == Method::GET;
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let answer = next.run(request).await;
    if !is_read || !is_page(&answer) {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    // It is in memory already, in one piece.
    let Ok(page) = to_bytes(body, usize::MAX).await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let mut hash = DefaultHasher::new();
    hash.write(&page);
    // Weak: a proxy may compress it.
    let tag = format!("W/\"{:016x}\"", hash.finish());
    let is_known = known.as_ref().and_then(|known| known.to_str().ok()).is_some_and(|known| names(known, &tag));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        parts.headers.insert(header::ETAG, tag);
    }
    if !is_known {
        return Response::from_parts(parts, Body::from(page));
    }
    parts.status = StatusCode::NOT_MODIFIED;
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
        parts.headers.remove(name);
    }
    Response::from_parts(parts, Body::empty())
}

fn is_page(answer: &Response) -> bool {
    let headers = answer.headers();
    let is_html = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    answer.status() == StatusCode::OK && is_html && !headers.contains_key(header::SET_COOKIE)
}

/// Whether a list of tags has this one.
fn names(list: &str, tag: &str) -> bool {
    list.split(',').any(|known| known.trim() == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_a_list() {
        assert!(names("W/\"a\", W/\"b\"", "W/\"b\"") && names("W/\"b\"", "W/\"b\""));
        assert!(!names("W/\"bb\"", "W/\"b\"") && !names("", "W/\"b\""));
    }
}

//! What every request and every answer passes through, from the outside in: headers that keep browsers on the safe side,
//! the cookies of the session, pages in the place of errors, and the question where a change comes from.
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::errors::{self, AskedPage};
use super::typed::Typed;
use crate::api::failures::Failure;
use crate::app::App;
use crate::frame::Choices;
use crate::ground::returns::page_around;
use crate::session::cookies;
use crate::session::outcome::{Change, Outcome};

/// Nothing but this origin's own files runs, is loaded, or is called; nothing is inline; and no script makes HTML or scripts of text but
/// by the one policy of `assets/trusted.js`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types default";
/// The headers of every answer.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=()"),
];

/// Adds the headers that every answer has, and keeps pages out of shared caches.
pub async fn headers(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    for (name, value) in HEADERS {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let said = answer.headers().get(header::CACHE_CONTROL).map_or(&b""[..], HeaderValue::as_bytes);
    let (is_public, is_private) = (said.starts_with(b"public"), said.starts_with(b"private"));
    if !is_public && !is_private {
        // Not `no-store`: that would end the way back through the pages of a browser. A stream has said `no-cache` alone.
        answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    // What is the same for all is not fetched anew with each new cookie.
    if !is_public {
        answer.headers_mut().append(header::VARY, HeaderValue::from_static("Cookie, Accept-Language, HX-Request"));
    }
    answer
}

/// Writes the cookies of a session that has begun, was renewed or has ended.
pub async fn session(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let outcome = Outcome::default();
    request.extensions_mut().insert(outcome.clone());
    let mut answer = next.run(request).await;
    let lines = match outcome.take() {
        None => return answer,
        Some(Change::Begun(tokens)) => cookies::begin(&tokens, app.settings.environment),
        Some(Change::Ended) => cookies::end(app.settings.environment),
    };
    for line in lines.iter().filter_map(|line| HeaderValue::from_str(line).ok()) {
        answer.headers_mut().append(header::SET_COOKIE, line);
    }
    answer
}

/// Shows a page in the place of an error without one, and logs what is the platform's fault.
pub async fn pages_of_errors(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let (fragment, read) = (headers.contains_key("hx-request"), request.method() == Method::GET);
    let id = headers.get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let uri = request.uri().clone();
    let page = if read && !fragment { uri.clone() } else { page_around(headers, uri.path()) };
    let asked = AskedPage { choices: Choices::of_headers(headers), uri, page, id, fragment, read };
    let mut answer = next.run(request).await;
    let failure = match answer.extensions_mut().remove::<Failure>() {
        Some(failure) => failure,
        None if plain(&answer) => Failure::Malformed(answer.status(), "the request cannot be understood"),
        None => return answer,
    };
    if matches!(failure, Failure::Away(_)) {
        // A log outlives a person's account, so a path that is a name is logged without it.
        let path = if asked.uri.path().starts_with("/@") { "/@-" } else { asked.uri.path() };
        tracing::warn!(request_id = %asked.id, path, %failure, "a page was not shown");
    }
    errors::page(&asked, &failure, answer.extensions().get::<Typed>())
}

/// An error that axum itself has answered: a wrong method, a body too long, a field that is missing.
fn plain(answer: &Response) -> bool {
    let status = answer.status();
    let html = answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    (status.is_client_error() || status.is_server_error()) && !html
}

/// Refuses a change that does not say that a page of this origin has sent it. No script of another site can set these
/// headers, and a browser sends one of them with every form.
pub async fn only_from_here(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || comes_from_here(request.headers()) {
        return next.run(request).await;
    }
    Failure::Malformed(StatusCode::FORBIDDEN, "this was not sent by a page of ours").into_response()
}

fn comes_from_here(headers: &HeaderMap) -> bool {
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = said("sec-fetch-site") {
        return site == "same-origin";
    }
    // A browser of before 2023: its origin has the host that it has asked, whatever the scheme in front of a proxy is.
    let origin = said("origin").and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some() && origin == said("host")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_comes_from_a_page_of_this_origin() {
        let here = |pairs: &[(&'static str, &str)]| {
            let headers = pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
            comes_from_here(&headers.collect())
        };
        assert!(here(&[("sec-fetch-site", "same-origin")]));
        assert!(here(&[("host", "a.example"), ("origin", "https://a.example")]));
        for site in ["cross-site", "same-site", "none", ""] {
            assert!(
                !here(&[("sec-fetch-site", site), ("host", "a.example"), ("origin", "https://a.example")]),
                "{site}"
            );
        }
        for origin in
            ["null", "https://evil.example", "https://sub.a.example", "https://a.example.evil", "a.example", ""]
        {
            assert!(!here(&[("host", "a.example"), ("origin", origin)]), "{origin}");
        }
        assert!(!here(&[("host", "a.example")]) && !here(&[]));
    }
}

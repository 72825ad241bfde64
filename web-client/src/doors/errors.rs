//! Errors as pages: what happened, whose fault it is, and what helps.
use askama::Template;
use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Redirect, Response};

use crate::api::failures::Failure;
use crate::frame::{Choices, Frame};
use crate::ground::words::encoded;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    page: Frame,
    status: u16,
    heading: &'static str,
    advice: &'static str,
    detail: &'a str,
    id: &'a str,
    again: Option<String>,
}

impl IntoResponse for Failure {
    /// Without a page yet: the outermost layer knows the language.
    fn into_response(self) -> Response {
        let mut answer = status(&self).into_response();
        answer.extensions_mut().insert(self);
        answer
    }
}

fn status(failure: &Failure) -> StatusCode {
    match failure {
        Failure::Refused { status, .. } | Failure::Malformed(status, _) => *status,
        Failure::Away(_) => StatusCode::SERVICE_UNAVAILABLE,
        Failure::SignedOut => StatusCode::UNAUTHORIZED,
    }
}

/// The page of a failure; for people who are not signed in, the way to where they can be.
pub fn page(failure: &Failure, choices: Choices, uri: &Uri, id: &str, fragment: bool, read: bool) -> Response {
    if matches!(failure, Failure::SignedOut) {
        let next = if read { uri.path_and_query().map_or("/", |path| path.as_str()) } else { "/" };
        let to = format!("/signin?next={}", encoded(next));
        // A script that asked for a part of a page follows no redirect to another page by itself.
        return if fragment { [("hx-redirect", to)].into_response() } else { Redirect::to(&to).into_response() };
    }
    let status = status(failure);
    // The address of a form is no page to come back to.
    let page = Frame::new(choices, if read { uri.clone() } else { Uri::from_static("/") });
    let t = page.t;
    let (heading, advice) = match status.as_u16() {
        403 => (t.error_403, t.error_403_advice),
        404 => (t.error_404, t.error_404_advice),
        413 => (t.error_413, t.error_413_advice),
        429 => (t.error_429, t.error_429_advice),
        500.. => (t.error_503, t.error_503_advice),
        _ => (t.error_400, t.error_400_advice),
    };
    let again = (read && status.is_server_error()).then(|| uri.path_and_query().map(ToString::to_string)).flatten();
    let detail = failure.reason().unwrap_or_default();
    let shown = ErrorPage { page, status: status.as_u16(), heading, advice, detail, id, again };
    let mut answer = (status, html(&shown)).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        answer.headers_mut().insert(header::RETRY_AFTER, axum::http::HeaderValue::from_static("2"));
    }
    answer
}

/// Writes a page.
pub fn html(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a template was not written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

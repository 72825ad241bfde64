//! Errors as pages: what happened, whose fault it is, and what helps.
use askama::Template;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::refusals::{Refusal, said};
use super::sign_in::SignIn;
use super::typed::{KeptForm, Typed};
use crate::api::failures::Failure;
use crate::frame::{Choices, Frame};
use crate::ground::returns::full_page;
use crate::ground::words::encoded;
use crate::texts::Said;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    page: Frame,
    status: u16,
    heading: &'static str,
    advice: &'static str,
    /// What the API says of it.
    said: Vec<Said>,
    id: &'a str,
    /// The page that can be tried again.
    again: Option<String>,
    /// The form that can be sent again.
    kept: Option<KeptForm>,
    /// The page of a form that cannot be sent again as it was.
    form: Option<String>,
}

/// What is known of a request whose answer may be an error.
pub struct AskedPage {
    pub choices: Choices,
    /// What was asked for.
    pub uri: Uri,
    /// The page that its links lead back to.
    pub page: Uri,
    /// The id of the request.
    pub id: String,
    /// Whether a script has asked for a part of a page.
    pub fragment: bool,
    /// Whether it was a page that was asked for, and no change.
    pub read: bool,
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
        Failure::Refused { status, .. } | Failure::Invalid { status, .. } | Failure::Malformed(status, _) => *status,
        Failure::Away(_) => StatusCode::SERVICE_UNAVAILABLE,
        Failure::SignedOut => StatusCode::UNAUTHORIZED,
    }
}

fn path(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |path| path.as_str())
}

/// The page of a failure; for people who are not signed in, the way to where they can be. What was typed is in it.
pub fn page(asked: &AskedPage, failure: &Failure, typed: Option<&Typed>) -> Response {
    let kept = typed.filter(|_| !asked.fragment).map(|typed| KeptForm::of(path(&asked.uri), typed));
    if matches!(failure, Failure::SignedOut) {
        return signed_out(asked, kept);
    }
    let status = status(failure);
    let (page, id) = (frame(asked), asked.id.as_str());
    let t = page.t;
    let (heading, advice) = match status.as_u16() {
        403 => (t.error_403, t.error_403_advice),
        404 => (t.error_404, t.error_404_advice),
        413 => (t.error_413, t.error_413_advice),
        429 => (t.error_429, t.error_429_advice),
        500.. => (t.error_503, t.error_503_advice),
        _ => (t.error_400, t.error_400_advice),
    };
    let said = if failure.reason().is_some() { said(failure, t) } else { Vec::new() };
    if asked.fragment {
        // A script shows the words alone, beside what was asked for.
        let is_enough = !said.is_empty() && said.iter().all(|sentence| t.has(sentence));
        let first = (!is_enough).then_some(advice);
        let words: Vec<_> = first.into_iter().chain(said.iter().map(|sentence| sentence.words.as_str())).collect();
        return (status, words.join(" ")).into_response();
    }
    let may_succeed = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    let again = (asked.read && status.is_server_error()).then(|| path(&asked.uri).to_owned());
    let (kept, form) = match kept {
        Some(kept) if kept.is_whole() => (Some(kept).filter(|kept| may_succeed || kept.is_written()), None),
        Some(_) => (None, Some(path(&asked.page).to_owned())),
        None => (None, None),
    };
    let shown = ErrorPage { page, status: status.as_u16(), heading, advice, said, id, again, kept, form };
    let mut answer = (status, html(&shown)).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    }
    answer
}

fn frame(asked: &AskedPage) -> Frame {
    let page = asked.page.clone();
    if asked.read && !asked.fragment { Frame::new(asked.choices, page) } else { Frame::answering(asked.choices, page) }
}

/// The sign-in, and the way back from it. A form that was sent is kept in it, and sent when there is a session again.
fn signed_out(asked: &AskedPage, kept: Option<KeptForm>) -> Response {
    let next = full_page(path(&asked.page));
    if let Some(kept) = kept.filter(|kept| kept.is_whole() && kept.is_written()) {
        let page = frame(asked);
        let shown = SignIn { page, error: None, next: &next, email: "", providers: Vec::new(), kept: Some(kept) };
        return (StatusCode::FORBIDDEN, html(&shown)).into_response();
    }
    let to = format!("/signin?next={}", encoded(&next));
    // A script that asked for a part of a page follows no redirect to another page by itself.
    if asked.fragment { [("hx-redirect", to)].into_response() } else { Redirect::to(&to).into_response() }
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

/// Writes a page with a form, with the status of its refusal where there is one.
pub fn form(page: &impl Template, refused: Option<StatusCode>) -> Response {
    let mut answer = (refused.unwrap_or(StatusCode::OK), html(page)).into_response();
    if refused == Some(StatusCode::SERVICE_UNAVAILABLE) {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    }
    answer
}

/// Why a form comes back; the failure, where it does not.
pub fn refusal(failure: Failure, page: &Frame) -> Result<Refusal, Failure> {
    Refusal::of(&failure, page.t).ok_or(failure)
}

//! The routes of unsubscribing: public, since the link carries its right.
use axum::extract::{FromRef, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::Html;
use chrono::Utc;

use super::services::{LinkState, UnsubscribeLinks};
use super::{Scope, pages, signals};
use crate::core::api::errors::{Error, Problem};
use crate::core::app::App;
use crate::core::contract::extract::Query;

/// The answer to a token that this service did not make.
const INVALID_TOKEN: Error = Error::Refused(StatusCode::BAD_REQUEST, "The link is not valid");

/// A page that no cache keeps.
type UnsubscribePage = ([(HeaderName, &'static str); 1], Html<String>);

fn page(html: String) -> UnsubscribePage {
    // It holds tokens, and none of access by which the core would know.
    ([(header::CACHE_CONTROL, "no-store")], Html(html))
}

impl FromRef<LinkState> for UnsubscribeLinks {
    fn from_ref(state: &LinkState) -> Self {
        state.links.clone()
    }
}

/// Read the page that a link in a mail leads to
///
/// It asks before it ends anything: programs that scan mails open their links.
#[utoipa::path(get, path = "/notifications/unsubscribe", tag = "unsubscribe", security(()),
    params(("token" = String, Query, description = "The token of the link", max_length = 128, example = "AZMAAA")),
    responses(
        (status = 200, body = String, content_type = "text/html", description = "A page with a button",
            example = "<!doctype html>\n<html lang=\"en\">\n…<h1>Unsubscribe</h1>\n<p>Do you want no more mails about mentions of \
                you?</p>\n…</html>\n"),
        (status = 400, body = Problem, description = "The link is not valid"),
    ))]
pub async fn retrieve_unsubscribe_page(
    State(links): State<UnsubscribeLinks>,
    mut query: Query,
) -> Result<UnsubscribePage, Error> {
    let token = query.required("token");
    query.check()?;
    let (user, scope) = links.read(&token).ok_or(INVALID_TOKEN)?;
    Ok(page(pages::question(scope, &token, &links.token(user, Scope::All))))
}

/// Unsubscribe from the mails that a link is about
///
/// A mail program does it at one click, with the body `List-Unsubscribe=One-Click` of RFC 8058, and so does the page's button.
/// The token alone decides: a body is not needed. The same again changes nothing.
#[utoipa::path(post, path = "/notifications/unsubscribe", tag = "unsubscribe", security(()),
    params(("token" = String, Query, description = "The token of the link", max_length = 128, example = "AZMAAA")),
    responses(
        (status = 200, body = String, content_type = "text/html", description = "Such mails have ended",
            example = "<!doctype html>\n<html lang=\"en\">\n…<h1>Unsubscribed</h1>\n<p>You get no more mails about mentions of \
                you. Your settings of notifications can change it back.</p>\n…</html>\n"),
        (status = 400, body = Problem, description = "The link is not valid"),
    ))]
pub async fn unsubscribe(
    State(app): State<App>,
    State(links): State<UnsubscribeLinks>,
    mut query: Query,
) -> Result<UnsubscribePage, Error> {
    let token = query.required("token");
    query.check()?;
    let (user, scope) = links.read(&token).ok_or(INVALID_TOKEN)?;
    let mut tx = app.db.begin().await?;
    signals::unsubscribed(&mut tx, user, scope, Utc::now()).await?;
    app.commit_with_answer(tx).await?;
    Ok(page(pages::farewell(scope)))
}

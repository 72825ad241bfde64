//! Accounts elsewhere: signing in by one, linking one, ending a link.
//!
//! A browser goes to the provider from a page of its own, because the policy of pages lets no form lead to another site; and it comes
//! back by an address, which the API believes once and in the browser that has left.
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;

use super::fields::{Asked, Id, Part};
use crate::api::Caller;
use crate::api::failures::Failure;
use crate::api::linked::{Arrival, Departure, LinkedAccount, Provider};
use crate::app::App;
use crate::doors::errors::{html, refusal};
use crate::doors::refusals::Refusal;
use crate::doors::visitors::{Member, Sender, Visitor};
use crate::frame::Frame;
use crate::session::cookies;
use crate::session::outcome::{Change, Outcome};

/// Where links are listed; a sign-in that is too old for them leads back here.
const LIST: &str = "/settings/accounts";

#[derive(Template)]
#[template(path = "settings_accounts.html")]
struct Accounts {
    page: Frame,
    /// Each with the name of its provider.
    linked: Vec<(LinkedAccount, String)>,
    /// Those that are not linked yet.
    providers: Vec<Provider>,
}

#[derive(Template)]
#[template(path = "leave.html")]
struct Leave<'a> {
    page: Frame,
    url: &'a str,
    provider: &'a str,
}

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused {
    page: Frame,
    error: Refusal,
}

pub async fn list(Member(page, caller): Member) -> Result<Response, Failure> {
    let linked = caller.get::<Vec<LinkedAccount>>(&["auth", "linked-accounts"], &[]);
    let (linked, mut providers) = futures::future::join(linked, caller.providers()).await;
    let linked = linked?;
    let title = |name: &str| providers.iter().find(|one| one.name == name).map_or(name, |one| &one.title).to_owned();
    let named: Vec<_> = linked
        .into_iter()
        .map(|one| {
            let title = title(&one.provider);
            (one, title)
        })
        .collect();
    providers.retain(|provider| named.iter().all(|(one, _)| one.provider != provider.name));
    Ok(html(&Accounts { page, linked: named, providers }))
}

/// Leads to a provider, to sign in by it.
pub async fn sign_in(
    Visitor(page, caller): Visitor,
    Part(provider): Part,
    Asked(asked): Asked,
) -> Result<Response, Failure> {
    let caller = Caller { token: None, ..caller };
    let departure = caller.depart(&provider, "sign-in", asked.get("fresh") == "true").await?;
    Ok(leave(page, &provider, departure))
}

/// Leads to a provider, to link an account there.
pub async fn link(Member(page, caller): Member, Part(provider): Part) -> Result<Response, Failure> {
    match caller.depart(&provider, "link", false).await {
        Ok(departure) => Ok(leave(page, &provider, departure)),
        Err(failure) => again(failure),
    }
}

fn leave(page: Frame, provider: &str, Departure { url, cookies }: Departure) -> Response {
    let mut answer = (cookies, html(&Leave { page, url: &url, provider })).into_response();
    // A browser goes there by itself; where it does not, the page has a link.
    if let Ok(line) = HeaderValue::from_str(&format!("0; url={url}")) {
        answer.headers_mut().insert("refresh", line);
    }
    answer
}

/// A link and its end need a sign-in of a moment ago.
fn again(failure: Failure) -> Result<Response, Failure> {
    match failure {
        Failure::SignedOut => Ok(Redirect::to("/signin?next=%2Fsettings%2Faccounts").into_response()),
        other => Err(other),
    }
}

/// Back from a provider.
pub async fn arrive(
    State(app): State<App>,
    Visitor(page, caller): Visitor,
    outcome: Outcome,
    headers: HeaderMap,
    Asked(asked): Asked,
) -> Result<Response, Failure> {
    let sent = json!({
        "state": asked.get("state"), "code": asked.optional("code"), "iss": asked.optional("iss"),
        "error": asked.optional("error"),
    });
    let cookie = cookies::of_departure(&headers).unwrap_or_default();
    match caller.arrive(&sent, &cookie).await {
        Ok(Arrival::SignedIn(tokens)) => {
            outcome.set(Change::Begun(tokens));
            Ok(departed(&app, Redirect::to("/")))
        }
        Ok(Arrival::Linked) => Ok(departed(&app, Redirect::to(&format!("{LIST}?done=linked")))),
        Err(failure) => {
            if failure.reason().is_none() {
                return Err(failure);
            }
            let error = refusal(failure, &page)?;
            Ok((axum::http::StatusCode::UNPROCESSABLE_ENTITY, html(&Refused { page, error })).into_response())
        }
    }
}

/// The answer to a browser that is back: the cookie of its departure has done its work.
fn departed(app: &App, to: Redirect) -> Response {
    let mut answer = to.into_response();
    if let Ok(line) = HeaderValue::from_str(&cookies::end_departure(app.settings.environment)) {
        answer.headers_mut().append(header::SET_COOKIE, line);
    }
    answer
}

pub async fn unlink(Sender(caller): Sender, Id(id): Id) -> Result<Response, Failure> {
    match caller.act(Method::DELETE, &["auth", "linked-accounts", &id.to_string()], &[]).await {
        Ok(()) => Ok(Redirect::to(&format!("{LIST}?done=unlinked")).into_response()),
        Err(failure) => again(failure),
    }
}

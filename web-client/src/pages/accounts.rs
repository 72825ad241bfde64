//! Coming in and leaving: sign-up, the links of mails, sign-in, a forgotten password, sign-out.
//!
//! A link in a mail changes nothing by being opened, since mail programs open links: its page has a button.
use askama::Template;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;
use uuid::Uuid;

use super::fields::{Asked, Fields};
use crate::api::Caller;
use crate::api::failures::Failure;
use crate::api::linked::Provider;
use crate::api::people::Tokens;
use crate::app::App;
use crate::doors::errors::html;
use crate::doors::visitors::Visitor;
use crate::frame::Frame;
use crate::ground::words::local;
use crate::session::cookies::{self, LANGUAGE, THEME};
use crate::session::outcome::{Change, Outcome};

#[derive(Template)]
#[template(path = "signin.html")]
struct SignIn<'a> {
    page: Frame,
    error: Option<String>,
    next: &'a str,
    email: &'a str,
    providers: Vec<Provider>,
}

#[derive(Template)]
#[template(path = "signup.html")]
struct SignUp {
    page: Frame,
    error: Option<String>,
    key: String,
    fields: Fields,
    choices: Vec<String>,
}

#[derive(Template)]
#[template(path = "message.html")]
pub struct Message {
    pub page: Frame,
    pub heading: &'static str,
    pub words: &'static str,
    pub link: &'static str,
    pub label: &'static str,
}

/// A form of one step: a token of a mail, an address, or a new password.
#[derive(Template)]
#[template(path = "token.html")]
pub struct Step<'a> {
    pub page: Frame,
    pub error: Option<String>,
    pub heading: &'static str,
    pub words: Option<&'static str>,
    pub action: &'static str,
    pub button: &'static str,
    pub token: Option<&'a str>,
    pub asks_email: bool,
    pub asks_password: bool,
}

pub async fn sign_in_form(Visitor(page, caller): Visitor, Asked(asked): Asked) -> Response {
    let providers = caller.providers().await;
    html(&SignIn { page, error: None, next: local(asked.get("next")), email: "", providers })
}

pub async fn sign_in(Visitor(page, caller): Visitor, outcome: Outcome, fields: Fields) -> Result<Response, Failure> {
    let caller = Caller { token: None, ..caller };
    let (email, password) = (fields.get("email").trim(), fields.get("password"));
    let body = json!({ "email": email, "password": password });
    let failure = match caller.send::<Tokens>(Method::POST, &["auth", "signin"], &body).await {
        Ok(tokens) => {
            outcome.set(Change::Begun(tokens));
            return Ok(fields.next().into_response());
        }
        Err(failure) => failure,
    };
    let error = match &failure {
        Failure::Refused { status, .. } if *status == StatusCode::NOT_FOUND => page.t.wrong_credentials.to_owned(),
        Failure::Refused { status, .. } if *status == StatusCode::FORBIDDEN => page.t.banned.to_owned(),
        Failure::Refused { status, .. } if *status == StatusCode::TOO_MANY_REQUESTS => {
            page.t.error_429_advice.to_owned()
        }
        _ => failure.reason().ok_or_else(|| failure.clone())?.to_owned(),
    };
    let providers = caller.providers().await;
    let shown = SignIn { page, error: Some(error), next: local(fields.get("next")), email, providers };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&shown)).into_response())
}

pub async fn sign_out(outcome: Outcome, visitor: Result<Visitor, Failure>) -> Response {
    // Signed out is signed out, also where the API cannot be asked to end the session, or has ended it before.
    if let Ok(Visitor(_, caller)) = visitor
        && caller.token.is_some()
        && let Err(failure) = caller.act(Method::POST, &["auth", "signout"], &[]).await
    {
        tracing::warn!(%failure, "a session was not ended by the API");
    }
    outcome.set(Change::Ended);
    let mut answer = Redirect::to("/?done=signed-out").into_response();
    answer.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    answer
}

async fn interests(caller: &Caller) -> Vec<String> {
    // A sign-up without interests is possible, too.
    caller.get(&["users", "interests-choices"], &[]).await.unwrap_or_default()
}

pub async fn sign_up_form(Visitor(page, caller): Visitor) -> Response {
    let choices = interests(&caller).await;
    html(&SignUp { page, error: None, key: Uuid::now_v7().to_string(), fields: Fields::default(), choices })
}

pub async fn sign_up(Visitor(page, caller): Visitor, fields: Fields) -> Result<Response, Failure> {
    let caller = Caller { token: None, ..caller };
    let body = json!({
        "email": fields.get("email").trim(), "password": fields.get("password"),
        "first_name": fields.optional("first_name"), "last_name": fields.optional("last_name"),
        "interests": fields.all("interests"),
    });
    // Another try has another body, and therefore another key.
    if let Err(failure) = caller.put_once(&["auth", "signup"], "", &body).await {
        let error = Some(failure.reason().ok_or_else(|| failure.clone())?.to_owned());
        let (choices, key) = (interests(&caller).await, Uuid::now_v7().to_string());
        let shown = SignUp { page, error, key, fields, choices };
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&shown)).into_response());
    }
    let t = page.t;
    let (heading, words) = (t.check_mail, t.check_mail_signup);
    Ok(html(&Message { page, heading, words, link: "/signin", label: t.sign_in }))
}

pub async fn activate_form(Visitor(page, _): Visitor, Asked(asked): Asked) -> Response {
    html(&activation(page, asked.get("token"), None))
}

fn activation(page: Frame, token: &str, error: Option<String>) -> Step<'_> {
    let t = page.t;
    // Without a token, or with one that is not good any more, a new one can be sent.
    let again = token.is_empty() || error.is_some();
    Step {
        page,
        error,
        heading: t.activate,
        words: Some(t.activate_words),
        action: if again { "/activate/again" } else { "/activate" },
        button: if again { t.resend } else { t.activate },
        token: (!again).then_some(token),
        asks_email: again,
        asks_password: false,
    }
}

pub async fn activate(Visitor(page, caller): Visitor, fields: Fields) -> Result<Response, Failure> {
    let query = [("activation_token", fields.get("token"))];
    // A session of the account proves that the mail was opened by its owner, who then keeps the password; one that has ended proves
    // nothing, and the mail alone is good, too.
    let mut activated = caller.act(Method::POST, &["users", "activate"], &query).await;
    if matches!(activated, Err(Failure::SignedOut)) {
        let caller = Caller { token: None, ..caller };
        activated = caller.act(Method::POST, &["users", "activate"], &query).await;
    }
    if let Err(failure) = activated {
        let error = refusal(&failure)?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&activation(page, "", Some(error)))).into_response());
    }
    let t = page.t;
    let (heading, words) = (t.activated, t.activated_words);
    Ok(html(&Message { page, heading, words, link: "/signin", label: t.sign_in }))
}

/// Why a token is not good; that of a mail may have ended, which the API answers with 401.
pub fn refusal(failure: &Failure) -> Result<String, Failure> {
    match failure {
        Failure::Refused { detail, .. } => Ok(detail.clone()),
        other => Err(other.clone()),
    }
}

pub async fn resend(Visitor(page, caller): Visitor, fields: Fields) -> Result<Response, Failure> {
    let caller = Caller { token: None, ..caller };
    caller.act(Method::POST, &["auth", "resend-verification"], &[("email", fields.get("email").trim())]).await?;
    let t = page.t;
    let (heading, words) = (t.check_mail, t.check_mail_again);
    Ok(html(&Message { page, heading, words, link: "/signin", label: t.sign_in }))
}

pub async fn forgot_form(Visitor(page, _): Visitor) -> Response {
    let t = page.t;
    html(&Step {
        page,
        error: None,
        heading: t.forgot,
        words: Some(t.forgot_words),
        action: "/forgot-password",
        button: t.send_link,
        token: None,
        asks_email: true,
        asks_password: false,
    })
}

pub async fn forgot(Visitor(page, caller): Visitor, fields: Fields) -> Result<Response, Failure> {
    let caller = Caller { token: None, ..caller };
    caller.act(Method::POST, &["auth", "forgot-password"], &[("email", fields.get("email").trim())]).await?;
    let t = page.t;
    let (heading, words) = (t.check_mail, t.check_mail_reset);
    Ok(html(&Message { page, heading, words, link: "/signin", label: t.sign_in }))
}

fn resetting(page: Frame, token: &str, error: Option<String>) -> Step<'_> {
    let t = page.t;
    Step {
        page,
        error,
        heading: t.reset,
        words: None,
        action: "/reset-password",
        button: t.save,
        token: Some(token),
        asks_email: false,
        asks_password: true,
    }
}

pub async fn reset_form(Visitor(page, _): Visitor, Asked(asked): Asked) -> Response {
    html(&resetting(page, asked.get("token"), None))
}

pub async fn reset(Visitor(page, caller): Visitor, outcome: Outcome, fields: Fields) -> Result<Response, Failure> {
    let caller = Caller { token: None, ..caller };
    let (token, password) = (fields.get("token"), fields.get("password"));
    // The contract wants them in the query; it goes from server to server only, and is logged by neither.
    let query = [("reset_token", token), ("password", password), ("confirmed_password", password)];
    if let Err(failure) = caller.act(Method::POST, &["auth", "reset-password"], &query).await {
        let shown = resetting(page, token, Some(refusal(&failure)?));
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&shown)).into_response());
    }
    outcome.set(Change::Ended);
    let t = page.t;
    let (heading, words) = (t.reset_done, t.reset_done_words);
    Ok(html(&Message { page, heading, words, link: "/signin", label: t.sign_in }))
}

/// Keeps the language and the colours that a browser has chosen.
pub async fn choices(axum::extract::State(app): axum::extract::State<App>, fields: Fields) -> Response {
    let mut headers = HeaderMap::new();
    for (name, known) in [(LANGUAGE, &["en", "de"][..]), (THEME, &["auto", "light", "dark"])] {
        let value = fields.get(name);
        let line = known.contains(&value).then(|| cookies::choice(name, value, app.settings.environment));
        if let Some(Ok(line)) = line.map(|line| HeaderValue::from_str(&line)) {
            headers.append(header::SET_COOKIE, line);
        }
    }
    (headers, fields.next()).into_response()
}

//! Coming in and leaving: sign-up, the links of mails, sign-in, a forgotten password, sign-out.
//!
//! A link in a mail changes nothing by being opened, since mail programs open links: its page has a button.
use askama::Template;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;
use uuid::Uuid;

use super::fields::{Asked, Fields};
use crate::api::Caller;
use crate::api::failures::Failure;
use crate::api::people::Tokens;
use crate::app::App;
use crate::doors::errors::{form, html, refusal};
use crate::doors::refusals::Refusal;
use crate::doors::sign_in::SignIn;
use crate::doors::typed::KeptForm;
use crate::doors::visitors::Visitor;
use crate::frame::Frame;
use crate::ground::returns::full_page;
use crate::session::cookies::{self, LANGUAGE, THEME};
use crate::session::outcome::{Change, Outcome};

/// What was typed before a sign-in, to be sent after it.
#[derive(Template)]
#[template(path = "kept.html")]
struct KeptPage<'a> {
    page: Frame,
    kept: KeptForm,
    next: &'a str,
}

#[derive(Template)]
#[template(path = "signup.html")]
struct SignUp {
    page: Frame,
    error: Option<Refusal>,
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
    pub error: Option<Refusal>,
    pub heading: &'static str,
    pub words: Option<&'static str>,
    pub action: &'static str,
    pub button: &'static str,
    pub token: Option<&'a str>,
    /// The address that is asked for, as far as it is known.
    pub email: Option<&'a str>,
    pub asks_password: bool,
}

impl Step<'_> {
    /// The page, with the status of its refusal where there is one.
    pub fn shown(&self) -> Response {
        form(self, self.error.as_ref().map(|refusal| refusal.status))
    }
}

pub async fn sign_in_form(Visitor(page, caller): Visitor, Asked(asked): Asked) -> Response {
    let (providers, next) = (caller.providers().await, full_page(asked.get("next")));
    html(&SignIn { page, error: None, next: &next, email: "", providers, kept: None })
}

pub async fn sign_in(Visitor(page, caller): Visitor, outcome: Outcome, fields: Fields) -> Result<Response, Failure> {
    let caller = Caller { token: None, ..caller };
    let (email, password) = (fields.get("email").trim(), fields.get("password"));
    let (kept, next) = (KeptForm::carried(&fields.0), full_page(fields.get("next")));
    let body = json!({ "email": email, "password": password });
    let failure = match caller.send::<Tokens>(Method::POST, &["auth", "signin"], &body).await {
        Ok(tokens) => {
            let token = Some(tokens.access_token.clone());
            outcome.set(Change::Begun(tokens));
            return Ok(match kept {
                Some(kept) => go_on(page, &Caller { token, ..caller }, kept, &next).await,
                None => Redirect::to(&next).into_response(),
            });
        }
        Err(failure) => failure,
    };
    let error = Refusal::or_away(&failure, page.t).ok_or(failure)?;
    // On the way to a provider what was typed would be left behind.
    let providers = if kept.is_none() { caller.providers().await } else { Vec::new() };
    let status = error.status;
    Ok(form(&SignIn { page, error: Some(error), next: &next, email, providers, kept }, Some(status)))
}

/// What was typed when the session had ended, to be looked at and sent.
async fn go_on(mut page: Frame, caller: &Caller, kept: KeptForm, next: &str) -> Response {
    if let Err(failure) = page.load(caller).await {
        tracing::warn!(%failure, "a page without its reader");
    }
    html(&KeptPage { page, kept, next })
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
        let error = Refusal::or_away(&failure, page.t).ok_or(failure)?;
        let (choices, key, status) = (interests(&caller).await, Uuid::now_v7().to_string(), error.status);
        return Ok(form(&SignUp { page, error: Some(error), key, fields, choices }, Some(status)));
    }
    let t = page.t;
    let (heading, words) = (t.check_mail, t.check_mail_signup);
    Ok(html(&Message { page, heading, words, link: "/signin", label: t.sign_in }))
}

pub async fn activate_form(Visitor(page, _): Visitor, Asked(asked): Asked) -> Response {
    activation(page, asked.get("token"), "", None).shown()
}

fn activation<'a>(page: Frame, token: &'a str, email: &'a str, error: Option<Refusal>) -> Step<'a> {
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
        email: again.then_some(email),
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
        let error = refusal(failure, &page)?;
        return Ok(activation(page, "", "", Some(error)).shown());
    }
    let t = page.t;
    let (heading, words) = (t.activated, t.activated_words);
    Ok(html(&Message { page, heading, words, link: "/signin", label: t.sign_in }))
}

pub async fn resend(Visitor(page, caller): Visitor, fields: Fields) -> Result<Response, Failure> {
    let (caller, email) = (Caller { token: None, ..caller }, fields.get("email").trim());
    let sent = caller.act(Method::POST, &["auth", "resend-verification"], &[("email", email)]).await;
    if let Err(failure) = sent {
        let error = refusal(failure, &page)?;
        return Ok(activation(page, "", email, Some(error)).shown());
    }
    let t = page.t;
    let (heading, words) = (t.check_mail, t.check_mail_again);
    Ok(html(&Message { page, heading, words, link: "/signin", label: t.sign_in }))
}

pub async fn forgot_form(Visitor(page, _): Visitor) -> Response {
    forgetting(page, "", None).shown()
}

fn forgetting(page: Frame, email: &str, error: Option<Refusal>) -> Step<'_> {
    let t = page.t;
    Step {
        page,
        error,
        heading: t.forgot,
        words: Some(t.forgot_words),
        action: "/forgot-password",
        button: t.send_link,
        token: None,
        email: Some(email),
        asks_password: false,
    }
}

pub async fn forgot(Visitor(page, caller): Visitor, fields: Fields) -> Result<Response, Failure> {
    let (caller, email) = (Caller { token: None, ..caller }, fields.get("email").trim());
    if let Err(failure) = caller.act(Method::POST, &["auth", "forgot-password"], &[("email", email)]).await {
        let error = refusal(failure, &page)?;
        return Ok(forgetting(page, email, Some(error)).shown());
    }
    let t = page.t;
    let (heading, words) = (t.check_mail, t.check_mail_reset);
    Ok(html(&Message { page, heading, words, link: "/signin", label: t.sign_in }))
}

fn resetting(page: Frame, token: &str, error: Option<Refusal>) -> Step<'_> {
    let t = page.t;
    Step {
        page,
        error,
        heading: t.reset,
        words: None,
        action: "/reset-password",
        button: t.save,
        token: Some(token),
        email: None,
        asks_password: true,
    }
}

pub async fn reset_form(Visitor(page, _): Visitor, Asked(asked): Asked) -> Response {
    resetting(page, asked.get("token"), None).shown()
}

pub async fn reset(Visitor(page, caller): Visitor, outcome: Outcome, fields: Fields) -> Result<Response, Failure> {
    let caller = Caller { token: None, ..caller };
    let (token, password) = (fields.get("token"), fields.get("password"));
    // The contract wants them in the query; it goes from server to server only, and is logged by neither.
    let query = [("reset_token", token), ("password", password), ("confirmed_password", password)];
    if let Err(failure) = caller.act(Method::POST, &["auth", "reset-password"], &query).await {
        let error = Refusal::or_away(&failure, page.t).ok_or(failure)?;
        return Ok(resetting(page, token, Some(error)).shown());
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

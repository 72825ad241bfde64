//! Where the links of mails about a changed account and about a ban lead. Neither page needs a session: the token of the mail is the right
//! to it.
use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

use super::accounts::{Message, Step};
use super::fields::{Asked, Fields};
use crate::api::Caller;
use crate::api::failures::Failure;
use crate::api::moderation::Statement;
use crate::doors::errors::{form, html, refusal};
use crate::doors::refusals::Refusal;
use crate::doors::visitors::Visitor;
use crate::frame::Frame;
use crate::session::outcome::{Change, Outcome};

#[derive(Template)]
#[template(path = "appeal.html")]
struct AppealForm<'a> {
    page: Frame,
    error: Option<Refusal>,
    token: &'a str,
    text: &'a str,
    statement: Statement,
}

fn undoing(page: Frame, token: &str, error: Option<Refusal>) -> Step<'_> {
    let t = page.t;
    Step {
        page,
        error,
        heading: t.undo,
        words: Some(t.undo_words),
        action: "/undo-change",
        button: t.undo,
        token: Some(token),
        email: None,
        asks_password: false,
    }
}

pub async fn undo_form(Visitor(page, _): Visitor, Asked(asked): Asked) -> Response {
    undoing(page, asked.get("token"), None).shown()
}

pub async fn undo(Visitor(page, caller): Visitor, outcome: Outcome, fields: Fields) -> Result<Response, Failure> {
    let caller = Caller { token: None, ..caller };
    let token = fields.get("token");
    let undone = caller.send::<Value>(Method::POST, &["auth", "undo-change"], &json!({ "token": token })).await;
    if let Err(failure) = undone {
        let error = refusal(failure, &page)?;
        return Ok(undoing(page, token, Some(error)).shown());
    }
    outcome.set(Change::Ended);
    let t = page.t;
    let (heading, words) = (t.undone, t.undone_words);
    Ok(html(&Message { page, heading, words, link: "/forgot-password", label: t.reset }))
}

pub async fn appeal_form(Visitor(page, caller): Visitor, Asked(asked): Asked) -> Result<Response, Failure> {
    let caller = Caller { token: None, ..caller };
    show_appeal(page, &caller, asked.get("token"), "", None).await
}

async fn show_appeal(
    page: Frame,
    caller: &Caller,
    token: &str,
    text: &str,
    error: Option<Refusal>,
) -> Result<Response, Failure> {
    let statement: Statement = caller.get(&["moderation", "appeals", "by-token"], &[("token", token)]).await?;
    let status = error.as_ref().map(|refusal| refusal.status);
    Ok(form(&AppealForm { page, error, token, text, statement }, status))
}

pub async fn appeal(Visitor(page, caller): Visitor, fields: Fields) -> Result<Response, Failure> {
    let caller = Caller { token: None, ..caller };
    let (token, text) = (fields.get("token"), fields.get("text"));
    let body = json!({ "token": token, "text": text });
    match caller.send::<Value>(Method::POST, &["moderation", "appeals", "by-token"], &body).await {
        Ok(_) => {
            let t = page.t;
            let (heading, words) = (t.your_appeal, t.done_appealed);
            Ok(html(&Message { page, heading, words, link: "/", label: t.home }))
        }
        Err(failure) => {
            let error = refusal(failure, &page)?;
            show_appeal(page, &caller, token, text, Some(error)).await
        }
    }
}

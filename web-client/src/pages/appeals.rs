//! The appeals that wait for a moderator: the list, and each with all that its decision was made of.
use askama::Template;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;
use uuid::Uuid;

use super::fields::{Asked, Fields, Id};
use super::moderation::{names, person, subject};
use crate::api::evidence::Evidence;
use crate::api::failures::Failure;
use crate::api::moderation::{Appeal, Decision};
use crate::api::people::Card;
use crate::api::{Caller, Listed};
use crate::doors::errors::html;
use crate::doors::visitors::Member;
use crate::frame::Frame;
use crate::ground::assets;

#[derive(Template)]
#[template(path = "appeals.html")]
struct Appeals {
    page: Frame,
    /// Each with who appeals, and against what.
    waiting: Vec<(Appeal, Card, Option<Decision>)>,
    next: Option<String>,
    keys: [(&'static str, &'static str); 2],
    keys_script: &'static str,
}

#[derive(Template)]
#[template(path = "appeal_case.html")]
struct AppealPage<'a> {
    page: Frame,
    appeal: Appeal,
    kind: &'static str,
    decision: Decision,
    decider: Card,
    held: Evidence,
    /// An answer that was refused.
    note: &'a str,
    error: Option<String>,
    keys: [(&'static str, &'static str); 2],
    keys_script: &'static str,
}

pub async fn list(Member(page, caller): Member, asked: Asked) -> Result<Response, Failure> {
    let Listed { items, next } = caller.list::<Appeal>(&["moderation", "appeals"], &asked.page(&[])).await?;
    let authors: Vec<_> = items.iter().map(|appeal| appeal.author).collect();
    let decisions = futures::future::join_all(items.iter().map(|appeal| caller.decision(appeal.decision_id)));
    let (known, decisions) = futures::future::join(names(&caller, &authors), decisions).await;
    let with_decision = |(appeal, decision): (Appeal, Result<Decision, Failure>)| {
        let author = person(&known, appeal.author);
        // The page of the appeal says what is the matter.
        (appeal, author, decision.ok())
    };
    let waiting = items.into_iter().zip(decisions).map(with_decision).collect();
    let keys = [("j, k", page.t.key_move), ("Enter", page.t.key_open)];
    Ok(html(&Appeals { page, waiting, next, keys, keys_script: &assets::KEYS.path }))
}

pub async fn read(Member(page, caller): Member, Id(id): Id) -> Result<Response, Failure> {
    show(page, &caller, id, "", None).await
}

/// An appeal with the decision that it is against, and what that was made of.
async fn show(page: Frame, caller: &Caller, id: Uuid, note: &str, error: Option<String>) -> Result<Response, Failure> {
    let appeal = caller.open_appeal(id).await?.ok_or(Failure::MISSING)?;
    let decision = caller.decision(appeal.decision_id).await?;
    let kind = subject(&decision.subject_type)?;
    let held = caller.evidence(kind, decision.subject_id, decision.analysis).await?;
    let by = decision.moderator.unwrap_or_default();
    let decider = person(&names(caller, &decision.moderator.into_iter().collect::<Vec<_>>()).await, by);
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let keys = [("d", page.t.answer), ("q", page.t.appeals)];
    let keys_script = &assets::KEYS.path;
    let shown = AppealPage { page, appeal, kind, decision, decider, held, note, error, keys, keys_script };
    Ok((status, html(&shown)).into_response())
}

pub async fn resolve(Member(page, caller): Member, Id(id): Id, fields: Fields) -> Result<Response, Failure> {
    let note = fields.get("note");
    let body = json!({ "outcome": fields.get("outcome"), "note": note });
    match caller.put(Method::POST, &["moderation", "appeals", &id.to_string(), "resolve"], &body).await {
        Ok(()) => Ok(Redirect::to("/moderation/appeals?done=decided").into_response()),
        // It was resolved meanwhile: there is nothing to come back to but the list.
        Err(failure) if failure.is(StatusCode::CONFLICT) => Err(failure),
        Err(failure) => {
            let error = failure.reason().ok_or_else(|| failure.clone())?.to_owned();
            show(page, &caller, id, note, Some(error)).await
        }
    }
}

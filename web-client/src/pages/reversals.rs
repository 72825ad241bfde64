//! A decision by itself, and what is taken back: one that was made, and one that waits to be made.
use askama::Template;
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;
use uuid::Uuid;

use super::fields::{Asked, Fields, Id};
use super::moderation::{names, person};
use crate::api::failures::Failure;
use crate::api::moderation::Decision;
use crate::api::people::Card;
use crate::api::schedules::ScheduledDecision;
use crate::api::{Caller, Listed};
use crate::doors::errors::{form, refusal};
use crate::doors::refusals::Refusal;
use crate::doors::visitors::Member;
use crate::frame::Frame;

#[derive(Template)]
#[template(path = "decision.html")]
struct DecisionPage<'a> {
    page: Frame,
    decision: Decision,
    decider: Card,
    /// Why it was to be taken back, where that was refused.
    note: &'a str,
    error: Option<Refusal>,
}

#[derive(Template)]
#[template(path = "scheduled.html")]
struct ScheduledPage {
    page: Frame,
    /// Each with who has decided.
    listed: Vec<(ScheduledDecision, Card)>,
    next: Option<String>,
    error: Option<Refusal>,
}

pub async fn decided(Member(page, caller): Member, Id(id): Id) -> Result<Response, Failure> {
    show_decision(page, &caller, id, "", None).await
}

/// A decision; with the note of a reversal that was refused, and why.
async fn show_decision(
    page: Frame,
    caller: &Caller,
    id: Uuid,
    note: &str,
    error: Option<Refusal>,
) -> Result<Response, Failure> {
    let decision = caller.decision(id).await?;
    let by = decision.moderator.unwrap_or_default();
    let decider = person(&names(caller, &decision.moderator.into_iter().collect::<Vec<_>>()).await, by);
    let status = error.as_ref().map(|refusal| refusal.status);
    Ok(form(&DecisionPage { page, decision, decider, note, error }, status))
}

/// Takes a decision back: a ban, a mute, what was hidden.
pub async fn reverse(Member(page, caller): Member, Id(id): Id, fields: Fields) -> Result<Response, Failure> {
    let path = ["moderation", "decisions", &id.to_string(), "reverse"];
    let note = fields.get("note");
    match caller.send::<Decision>(Method::POST, &path, &json!({ "note": note })).await {
        Ok(decision) => Ok(Redirect::to(&format!("{}?done=reversed", decision.case_link())).into_response()),
        Err(failure) => {
            let error = refusal(failure, &page)?;
            show_decision(page, &caller, id, note, Some(error)).await
        }
    }
}

/// The decisions that are scheduled, and what became of those that were.
pub async fn scheduled(Member(page, caller): Member, asked: Asked) -> Result<Response, Failure> {
    show_scheduled(page, &caller, &asked, None).await
}

async fn show_scheduled(
    page: Frame,
    caller: &Caller,
    asked: &Asked,
    error: Option<Refusal>,
) -> Result<Response, Failure> {
    let path = ["moderation", "scheduled-decisions"];
    let Listed { items, next } = caller.list::<ScheduledDecision>(&path, &asked.page(&[])).await?;
    let known = names(caller, &items.iter().map(|scheduled| scheduled.moderator).collect::<Vec<_>>()).await;
    let with_moderator = |scheduled: ScheduledDecision| {
        let moderator = person(&known, scheduled.moderator);
        (scheduled, moderator)
    };
    let listed = items.into_iter().map(with_moderator).collect();
    let status = error.as_ref().map(|refusal| refusal.status);
    Ok(form(&ScheduledPage { page, listed, next, error }, status))
}

/// Takes a decision back that was not made yet.
pub async fn cancel(Member(page, caller): Member, Id(id): Id, asked: Asked) -> Result<Response, Failure> {
    match caller.act(Method::DELETE, &["moderation", "scheduled-decisions", &id.to_string()], &[]).await {
        Ok(()) => Ok(Redirect::to("/moderation/scheduled?done=cancelled").into_response()),
        Err(failure) => {
            let error = refusal(failure, &page)?;
            show_scheduled(page, &caller, &asked, Some(error)).await
        }
    }
}

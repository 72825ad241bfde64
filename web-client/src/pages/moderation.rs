//! Reports, decisions about one's own, and the moderators' queue, cases and appeals.
use askama::Template;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use super::fields::{Asked, Fields, Id, Part};
use crate::api::failures::Failure;
use crate::api::moderation::{Appeal, Case, QueueItem, SentReport, Statement};
use crate::api::people::Card;
use crate::api::{Caller, Listed};
use crate::doors::errors::html;
use crate::doors::visitors::{Member, Sender};
use crate::frame::Frame;
use crate::texts::REASONS;

/// What can be done to many at once: what needs hours or a note is decided case by case.
pub(super) const BULK_ACTIONS: [&str; 3] = ["DISMISS", "HIDE", "REMOVE"];
/// What can be reported and decided about.
const SUBJECTS: [&str; 4] = ["POST", "COMMENT", "USER", "MEDIA"];

#[derive(Template)]
#[template(path = "report.html")]
struct ReportForm<'a> {
    page: Frame,
    kind: &'a str,
    id: &'a str,
    key: String,
    reasons: &'static [&'static str],
    chosen: &'a str,
    text: &'a str,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "decisions.html")]
struct Decisions {
    page: Frame,
    statements: Vec<Statement>,
    reports: Vec<SentReport>,
    next: Option<String>,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "queue.html")]
struct Queue {
    page: Frame,
    items: Vec<QueueItem>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    page: Frame,
    kind: String,
    id: Uuid,
    key: String,
    case: Case,
    author: Option<Card>,
    choices: &'static [&'static str],
    reasons: &'static [&'static str],
    chosen: String,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "appeals.html")]
struct Appeals {
    page: Frame,
    waiting: Vec<Appeal>,
    next: Option<String>,
    error: Option<String>,
}

fn new_key() -> String {
    Uuid::now_v7().to_string()
}

pub async fn report_form(Member(page, _): Member, Asked(asked): Asked) -> Result<Response, Failure> {
    let (kind, id) = (asked.get("type"), asked.get("id"));
    if !SUBJECTS.contains(&kind) || id.parse::<Uuid>().is_err() {
        return Err(Failure::MISSING);
    }
    Ok(html(&ReportForm { page, kind, id, key: new_key(), reasons: &REASONS, chosen: "", text: "", error: None }))
}

pub async fn report(Member(page, caller): Member, fields: Fields) -> Result<Response, Failure> {
    let (kind, id, reason) = (fields.get("type"), fields.get("id"), fields.get("reason"));
    let text = fields.get("text");
    let body = json!({ "subject_type": kind, "subject_id": id, "reason": reason, "text": fields.optional("text") });
    match caller.put_once(&["reports"], fields.get("key"), &body).await {
        Ok(_) => Ok(Redirect::to("/?done=reported").into_response()),
        Err(failure) => {
            let error = Some(failure.reason().ok_or_else(|| failure.clone())?.to_owned());
            let shown = ReportForm { page, kind, id, key: new_key(), reasons: &REASONS, chosen: reason, text, error };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&shown)).into_response())
        }
    }
}

pub async fn decisions(Member(page, caller): Member, asked: Asked) -> Result<Response, Failure> {
    show_decisions(page, &caller, &asked, None).await
}

async fn show_decisions(
    page: Frame,
    caller: &Caller,
    asked: &Asked,
    error: Option<String>,
) -> Result<Response, Failure> {
    let query = asked.page(&[]);
    let statements = caller.list::<Statement>(&["me", "moderation", "decisions"], &query);
    let reports = caller.get::<Vec<SentReport>>(&["me", "reports"], &[("limit", "20")]);
    let (statements, reports) = futures::future::join(statements, reports).await;
    let (Listed { items: statements, next }, reports) = (statements?, reports?);
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, html(&Decisions { page, statements, reports, next, error })).into_response())
}

pub async fn appeal(
    Member(page, caller): Member,
    Id(id): Id,
    asked: Asked,
    fields: Fields,
) -> Result<Response, Failure> {
    let path = ["me", "moderation", "decisions", &id.to_string(), "appeal"];
    match caller.put_once(&path, "", &json!({ "text": fields.get("text") })).await {
        Ok(_) => Ok(Redirect::to("/decisions?done=appealed").into_response()),
        Err(failure) => {
            let error = failure.reason().ok_or_else(|| failure.clone())?.to_owned();
            show_decisions(page, &caller, &asked, Some(error)).await
        }
    }
}

pub async fn queue(Member(page, caller): Member, asked: Asked) -> Result<Response, Failure> {
    let Listed { items, next } = caller.list(&["moderation", "queue"], &asked.page(&[])).await?;
    Ok(html(&Queue { page, items, next }))
}

/// Claims the gravest case that no moderator has, and leads to it.
pub async fn claim_next(Sender(caller): Sender) -> Result<Redirect, Failure> {
    let claimed: Vec<QueueItem> =
        caller.send(Method::POST, &["moderation", "queue", "claim"], &json!({ "limit": 1 })).await?;
    Ok(Redirect::to(&claimed.first().map_or_else(|| "/moderation".to_owned(), QueueItem::link)))
}

/// The kind of a subject, as a path has it.
pub(super) fn subject(kind: &str) -> Result<&'static str, Failure> {
    SUBJECTS.into_iter().find(|known| *known == kind).ok_or(Failure::MISSING)
}

pub async fn case(Member(page, caller): Member, Part(kind): Part, Id(id): Id) -> Result<Response, Failure> {
    show_case(page, &caller, subject(&kind)?, id, String::new(), None).await
}

async fn show_case(
    page: Frame,
    caller: &Caller,
    kind: &str,
    id: Uuid,
    chosen: String,
    error: Option<String>,
) -> Result<Response, Failure> {
    let case: Case = caller.get(&["moderation", "subjects", kind, &id.to_string()], &[]).await?;
    // Who wrote it is a help, and no need.
    let author = caller.people(&[case.author.id]).await.unwrap_or_default().into_iter().next();
    let reported = case.reports.first().map(|report| report.reason.clone()).unwrap_or_default();
    let chosen = if chosen.is_empty() { reported } else { chosen };
    let choices: &[&str] = match kind {
        "USER" => &["DISMISS", "WARN", "REQUIRE_APPROVAL", "MUTE", "BAN"],
        "POST" => &["DISMISS", "LOCK", "HIDE", "REMOVE", "WARN", "REQUIRE_APPROVAL", "MUTE", "BAN", "RESTORE"],
        _ => &["DISMISS", "HIDE", "REMOVE", "WARN", "REQUIRE_APPROVAL", "MUTE", "BAN", "RESTORE"],
    };
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let kind = kind.to_owned();
    let shown = CasePage { page, kind, id, key: new_key(), case, author, choices, reasons: &REASONS, chosen, error };
    Ok((status, html(&shown)).into_response())
}

pub async fn claim(Sender(caller): Sender, Part(kind): Part, Id(id): Id) -> Result<Redirect, Failure> {
    let kind = subject(&kind)?;
    caller.act(Method::POST, &["moderation", "subjects", kind, &id.to_string(), "claim"], &[]).await?;
    Ok(Redirect::to(&format!("/moderation/{kind}/{id}")))
}

pub async fn decide(
    Member(page, caller): Member,
    Part(kind): Part,
    Id(id): Id,
    fields: Fields,
) -> Result<Response, Failure> {
    let kind = subject(&kind)?;
    let body = decision(&fields);
    let path = ["moderation", "subjects", kind, &id.to_string(), "decisions"];
    match caller.put_once(&path, fields.get("key"), &body).await {
        Ok(_) => Ok(Redirect::to("/moderation?done=decided").into_response()),
        Err(failure) => {
            let error = failure.reason().ok_or_else(|| failure.clone())?.to_owned();
            show_case(page, &caller, kind, id, fields.get("reason").to_owned(), Some(error)).await
        }
    }
}

/// A decision of one action; approvals, mutes and bans have hours.
fn decision(fields: &Fields) -> Value {
    let action = fields.get("action");
    let mut chosen = json!({ "action": action });
    let hours: Option<i32> = fields.get("hours").trim().parse().ok();
    if matches!(action, "REQUIRE_APPROVAL" | "MUTE" | "BAN")
        && let Some(hours) = hours
    {
        chosen["hours"] = json!(hours);
    }
    json!({
        "actions": [chosen], "reason": fields.get("reason"),
        "public_note": fields.optional("public_note"), "internal_note": fields.optional("internal_note"),
    })
}

pub async fn appeals(Member(page, caller): Member, asked: Asked) -> Result<Response, Failure> {
    show_appeals(page, &caller, &asked, None).await
}

async fn show_appeals(page: Frame, caller: &Caller, asked: &Asked, error: Option<String>) -> Result<Response, Failure> {
    let Listed { items: waiting, next } = caller.list(&["moderation", "appeals"], &asked.page(&[])).await?;
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, html(&Appeals { page, waiting, next, error })).into_response())
}

pub async fn resolve(
    Member(page, caller): Member,
    Id(id): Id,
    asked: Asked,
    fields: Fields,
) -> Result<Response, Failure> {
    let body = json!({ "outcome": fields.get("outcome"), "note": fields.get("note") });
    let path = ["moderation", "appeals", &id.to_string(), "resolve"];
    match caller.put(Method::POST, &path, &body).await {
        Ok(()) => Ok(Redirect::to("/moderation/appeals?done=decided").into_response()),
        Err(failure) => {
            let error = failure.reason().ok_or_else(|| failure.clone())?.to_owned();
            show_appeals(page, &caller, &asked, Some(error)).await
        }
    }
}

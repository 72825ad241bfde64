//! What a reader reports, and what was decided about their own: statements of reasons, and appeals against them.
use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;
use uuid::Uuid;

use super::fields::{Asked, Fields, Id};
use super::moderation::{SUBJECTS, new_key};
use crate::api::failures::Failure;
use crate::api::moderation::{OwnAppeal, SentReport, Statement};
use crate::api::{Caller, Listed};
use crate::doors::errors::{form, html, refusal};
use crate::doors::refusals::Refusal;
use crate::doors::visitors::Member;
use crate::frame::Frame;
use crate::ground::words::encoded;
use crate::texts::REASONS;

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
    error: Option<Refusal>,
}

#[derive(Template)]
#[template(path = "decisions.html")]
struct Decisions<'a> {
    page: Frame,
    statements: Vec<Statement>,
    reports: Vec<SentReport>,
    next: Option<String>,
    /// The query by which a form comes back to this page of the list.
    query: String,
    /// The appeal that was refused.
    draft: Option<(Uuid, &'a str)>,
    error: Option<Refusal>,
}

impl Decisions<'_> {
    /// What was written against a decision and refused.
    fn draft_of(&self, decision: &Uuid) -> &str {
        self.draft.filter(|(id, _)| id == decision).map_or("", |(_, text)| text)
    }
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
            let error = refusal(failure, &page)?;
            let status = Some(error.status);
            let error = Some(error);
            let shown = ReportForm { page, kind, id, key: new_key(), reasons: &REASONS, chosen: reason, text, error };
            Ok(form(&shown, status))
        }
    }
}

pub async fn decisions(Member(page, caller): Member, asked: Asked) -> Result<Response, Failure> {
    show_decisions(page, &caller, &asked, None, None).await
}

async fn show_decisions(
    page: Frame,
    caller: &Caller,
    asked: &Asked,
    draft: Option<(Uuid, &str)>,
    error: Option<Refusal>,
) -> Result<Response, Failure> {
    let page_of_list = asked.page(&[]);
    let (statements, appeals, reports) = futures::future::join3(
        caller.list::<Statement>(&["me", "moderation", "decisions"], &page_of_list),
        caller.get::<Vec<OwnAppeal>>(&["me", "appeals"], &[("limit", "200")]),
        caller.get::<Vec<SentReport>>(&["me", "reports"], &[("limit", "20")]),
    )
    .await;
    let (Listed { items: mut statements, next }, reports) = (statements?, reports?);
    // A statement says how far its appeal is; what was written is a help.
    let mut appeals = appeals.unwrap_or_else(|failure| {
        tracing::warn!(%failure, "statements without the words of their appeals");
        Vec::new()
    });
    for statement in &mut statements {
        let place = appeals.iter().position(|appeal| appeal.decision_id == statement.decision_id);
        statement.objection = place.map(|place| appeals.swap_remove(place));
    }
    let cursor = asked.0.get("cursor");
    let query = if cursor.is_empty() { String::new() } else { format!("?cursor={}", encoded(cursor)) };
    let status = error.as_ref().map(|refusal| refusal.status);
    Ok(form(&Decisions { page, statements, reports, next, query, draft, error }, status))
}

pub async fn appeal(
    Member(page, caller): Member,
    Id(id): Id,
    asked: Asked,
    fields: Fields,
) -> Result<Response, Failure> {
    let path = ["me", "moderation", "decisions", &id.to_string(), "appeal"];
    let text = fields.get("text");
    match caller.put_once(&path, "", &json!({ "text": text })).await {
        Ok(_) => Ok(Redirect::to("/decisions?done=appealed").into_response()),
        Err(failure) => {
            let error = refusal(failure, &page)?;
            show_decisions(page, &caller, &asked, Some((id, text)), Some(error)).await
        }
    }
}

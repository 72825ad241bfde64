//! One decision about many cases of the queue: what it will do, and, once that is confirmed, what became of each.
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use uuid::Uuid;

use super::fields::{Asked, Fields};
use super::moderation::{BULK_ACTIONS, new_key, show_queue, subject};
use crate::api::failures::Failure;
use crate::api::moderation::BulkResult;
use crate::doors::errors::{form, html, refusal};
use crate::doors::refusals::Refusal;
use crate::doors::visitors::Member;
use crate::frame::Frame;

#[derive(Template)]
#[template(path = "bulk.html")]
struct BulkConfirm<'a> {
    page: Frame,
    total: i64,
    chosen: Vec<(&'static str, Uuid)>,
    action: &'static str,
    key: String,
    reason: &'a str,
    fields: &'a Fields,
    error: Option<Refusal>,
}

#[derive(Template)]
#[template(path = "bulk_done.html")]
struct BulkDone<'a> {
    page: Frame,
    decided: i64,
    /// What was not reached in time: the same form, sent again under its key, goes on there.
    pending: i64,
    refused: i64,
    action: &'static str,
    results: Vec<BulkResult>,
    fields: &'a Fields,
}

/// Asks whether it is meant, and decides then. Cases that were decided since the queue was read are left out.
pub async fn decide(Member(page, caller): Member, asked: Asked, fields: Fields) -> Result<Response, Failure> {
    let chosen = fields.all("subjects").into_iter().map(chosen).collect::<Result<Vec<_>, _>>()?;
    let action = BULK_ACTIONS.into_iter().find(|action| *action == fields.get("action"));
    let reason = fields.get("reason");
    let Some(action) = action.filter(|_| !chosen.is_empty() && !reason.is_empty()) else {
        let error = if chosen.is_empty() { page.t.choose_some } else { page.t.choose_action_and_reason };
        return show_queue(page, &caller, &asked, &fields, Some(Refusal::because(error))).await;
    };
    if !fields.has("sure", "yes") {
        return Ok(confirm(page, chosen, (action, new_key()), &fields, None));
    }
    let subjects: Vec<Value> = chosen.iter().map(|(kind, id)| json!({ "type": kind, "id": id })).collect();
    let body = json!({
        "subjects": subjects, "actions": [{ "action": action }], "reason": reason, "only_open": true,
        "public_note": fields.optional("public_note"), "internal_note": fields.optional("internal_note"),
        "abusive": fields.has("abusive", "yes"),
    });
    // Under a key, so that a form that is sent twice says what became of each case, and not that all were decided before.
    let sent = caller.put_once(&["moderation", "decisions", "bulk"], fields.get("key"), &body).await;
    let read =
        |value| serde_json::from_value::<Vec<BulkResult>>(value).map_err(|error| Failure::Away(error.to_string()));
    match sent.and_then(read) {
        Ok(results) => {
            let number = |are: fn(&BulkResult) -> bool| {
                i64::try_from(results.iter().filter(|result| are(result)).count()).unwrap_or(i64::MAX)
            };
            let (decided, pending) = (number(BulkResult::is_decided), number(BulkResult::is_pending));
            let refused = i64::try_from(results.len()).unwrap_or(i64::MAX) - decided - pending;
            Ok(html(&BulkDone { page, decided, pending, refused, action, results, fields: &fields }))
        }
        Err(failure) => {
            // While the first one is carried out, the second one goes on under its key.
            let key = if failure.is(StatusCode::CONFLICT) { fields.get("key").to_owned() } else { new_key() };
            let error = refusal(failure, &page)?;
            Ok(confirm(page, chosen, (action, key), &fields, Some(error)))
        }
    }
}

fn confirm(
    page: Frame,
    chosen: Vec<(&'static str, Uuid)>,
    (action, key): (&'static str, String),
    fields: &Fields,
    error: Option<Refusal>,
) -> Response {
    let status = error.as_ref().map(|refusal| refusal.status);
    let total = i64::try_from(chosen.len()).unwrap_or(i64::MAX);
    let shown = BulkConfirm { page, total, chosen, action, key, reason: fields.get("reason"), fields, error };
    form(&shown, status)
}

/// A case as its checkbox names it: `POST/<id>`.
fn chosen(text: &str) -> Result<(&'static str, Uuid), Failure> {
    let (kind, id) = text.split_once('/').ok_or(Failure::MISSING)?;
    let id = id.parse().map_err(|_| Failure::MISSING)?;
    Ok((subject(kind)?, id))
}

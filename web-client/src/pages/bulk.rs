//! One decision about many cases of the queue.
use axum::http::{Method, StatusCode};
use axum::response::Redirect;
use serde_json::{Value, json};
use uuid::Uuid;

use super::fields::Fields;
use super::moderation::{BULK_ACTIONS, subject};
use crate::api::failures::Failure;
use crate::doors::visitors::Sender;

/// Decides about the chosen cases, those aside that have been decided since the page was read.
pub async fn decide(Sender(caller): Sender, fields: Fields) -> Result<Redirect, Failure> {
    let action = fields.get("action");
    let subjects = fields.all("subjects").into_iter().map(chosen).collect::<Result<Vec<_>, _>>()?;
    if subjects.is_empty() {
        return Err(Failure::Malformed(StatusCode::BAD_REQUEST, "no case is chosen"));
    }
    if !BULK_ACTIONS.contains(&action) {
        return Err(Failure::Malformed(StatusCode::BAD_REQUEST, "there is no such action"));
    }
    let body = json!({
        "subjects": subjects, "actions": [{ "action": action }], "reason": fields.get("reason"), "only_open": true,
    });
    let _: Vec<Value> = caller.send(Method::POST, &["moderation", "decisions", "bulk"], &body).await?;
    Ok(Redirect::to("/moderation?done=decided"))
}

/// A case as its checkbox names it: `POST/<id>`.
fn chosen(text: &str) -> Result<Value, Failure> {
    let (kind, id) = text.split_once('/').ok_or(Failure::MISSING)?;
    let id: Uuid = id.parse().map_err(|_| Failure::MISSING)?;
    Ok(json!({ "type": subject(kind)?, "id": id }))
}

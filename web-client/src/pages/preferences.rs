//! What a person is notified of, by which channels, and when.
use askama::Template;
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::fields::Fields;
use crate::api::failures::Failure;
use crate::doors::errors::{form, html, refusal};
use crate::doors::refusals::Refusal;
use crate::doors::visitors::Member;
use crate::frame::Frame;

#[derive(Template)]
#[template(path = "settings_notifications.html")]
struct Preferences {
    page: Frame,
    rows: Vec<Row>,
    time_zone: String,
    /// As it was entered.
    digest_hour: String,
    quiet: QuietHours,
    error: Option<Refusal>,
}

/// The channels of one kind of notification.
struct Row {
    kind: String,
    in_app: bool,
    mail: String,
    push: bool,
}

/// The preferences as the API has them.
#[derive(Deserialize)]
struct Chosen {
    types: Map<String, Value>,
    time_zone: String,
    digest_hour: i64,
    quiet_hours: Option<QuietHours>,
}

/// When nothing is sent at once, in hours and minutes; empty: at no time.
#[derive(Default, Deserialize)]
struct QuietHours {
    from: String,
    to: String,
}

pub async fn read(Member(page, caller): Member) -> Result<Response, Failure> {
    let chosen: Chosen = caller.get(&["me", "notification-preferences"], &[]).await?;
    let row = |(kind, channels): (String, Value)| Row {
        in_app: channels["in_app"].as_bool().unwrap_or_default(),
        mail: channels["mail"].as_str().unwrap_or("NEVER").to_owned(),
        push: channels["push"].as_bool().unwrap_or_default(),
        kind,
    };
    let rows = chosen.types.into_iter().map(row).collect();
    let (time_zone, digest_hour) = (chosen.time_zone, chosen.digest_hour.to_string());
    let quiet = chosen.quiet_hours.unwrap_or_default();
    Ok(html(&Preferences { page, rows, time_zone, digest_hour, quiet, error: None }))
}

/// The preferences as they were sent and refused.
fn refused(page: Frame, fields: &Fields, error: Refusal) -> Response {
    let row = |kind: &str| Row {
        in_app: fields.has("in_app", kind),
        mail: fields.get(&format!("mail-{kind}")).to_owned(),
        push: fields.has("push", kind),
        kind: kind.to_owned(),
    };
    let text = |name: &str| fields.get(name).to_owned();
    let (rows, status) = (fields.all("kinds").into_iter().map(row).collect(), error.status);
    let (time_zone, digest_hour) = (text("time_zone"), text("digest_hour"));
    let quiet = QuietHours { from: text("quiet_from"), to: text("quiet_to") };
    form(&Preferences { page, rows, time_zone, digest_hour, quiet, error: Some(error) }, Some(status))
}

/// What the form chooses. What a page of an older release has no fields for, stays as it is.
fn chosen(fields: &Fields) -> Value {
    let with_push = fields.has("has", "push");
    let channels = |kind: &&str| {
        let mut channels = json!({ "in_app": fields.has("in_app", kind), "mail": fields.get(&format!("mail-{kind}")) });
        if with_push {
            channels["push"] = json!(fields.has("push", kind));
        }
        ((*kind).to_owned(), channels)
    };
    let types: Map<String, Value> = fields.all("kinds").iter().map(channels).collect();
    let hour: Option<i64> = fields.get("digest_hour").trim().parse().ok();
    let mut body = json!({ "types": types, "time_zone": fields.get("time_zone").trim(), "digest_hour": hour });
    if !fields.all("quiet_from").is_empty() {
        let (from, to) = (fields.get("quiet_from").trim(), fields.get("quiet_to").trim());
        let is_quiet = !from.is_empty() || !to.is_empty();
        body["quiet_hours"] = if is_quiet { json!({ "from": from, "to": to }) } else { Value::Null };
    }
    body
}

pub async fn change(Member(page, caller): Member, fields: Fields) -> Result<Response, Failure> {
    if let Err(failure) = caller.put(Method::PATCH, &["me", "notification-preferences"], &chosen(&fields)).await {
        let error = refusal(failure, &page)?;
        return Ok(refused(page, &fields, error));
    }
    Ok(Redirect::to("/settings/notifications?done=saved").into_response())
}

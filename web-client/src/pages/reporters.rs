//! A reporter: what became of their reports, and whether these weigh something.
use askama::Template;
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use super::fields::{Fields, Id};
use super::moderation::{names, person};
use crate::api::Caller;
use crate::api::failures::Failure;
use crate::api::people::Card;
use crate::api::reporters::Reporter;
use crate::doors::errors::{form, refusal};
use crate::doors::refusals::Refusal;
use crate::doors::visitors::Member;
use crate::frame::Frame;

#[derive(Template)]
#[template(path = "reporter.html")]
struct ReporterPage<'a> {
    page: Frame,
    reporter: Reporter,
    card: Card,
    /// Who has muted them.
    muted_by: Card,
    /// A mute that was refused.
    fields: &'a Fields,
    error: Option<Refusal>,
}

pub async fn read(Member(page, caller): Member, Id(id): Id) -> Result<Response, Failure> {
    show(page, &caller, id, &Fields::default(), None).await
}

/// A reporter; with the mute that was refused, and why.
async fn show(
    page: Frame,
    caller: &Caller,
    id: Uuid,
    fields: &Fields,
    error: Option<Refusal>,
) -> Result<Response, Failure> {
    let reporter = caller.reporter(id).await?;
    let moderator = reporter.mute.as_ref().map(|mute| mute.moderator);
    let known = names(caller, &[id].into_iter().chain(moderator).collect::<Vec<_>>()).await;
    let (card, muted_by) = (person(&known, id), person(&known, moderator.unwrap_or_default()));
    let status = error.as_ref().map(|refusal| refusal.status);
    Ok(form(&ReporterPage { page, reporter, card, muted_by, fields, error }, status))
}

/// Mutes a reporter, or ends that. Without hours it is for good.
pub async fn mute(Member(page, caller): Member, Id(id): Id, fields: Fields) -> Result<Response, Failure> {
    let (body, done) = if fields.has("muted", "no") {
        (json!({ "muted": false }), "reporter-unmuted")
    } else {
        let hours = match fields.get("hours").trim() {
            "" => Value::Null,
            hours => {
                let Ok(hours) = hours.parse::<i64>() else {
                    let error = Refusal::because(page.t.wrong_hours);
                    return show(page, &caller, id, &fields, Some(error)).await;
                };
                json!(hours)
            }
        };
        (json!({ "muted": true, "hours": hours, "note": fields.optional("note") }), "reporter-muted")
    };
    match caller.put(Method::PUT, &["moderation", "reporters", &id.to_string(), "mute"], &body).await {
        Ok(()) => Ok(Redirect::to(&format!("/moderation/reporters/{id}?done={done}")).into_response()),
        Err(failure) => {
            let error = refusal(failure, &page)?;
            show(page, &caller, id, &fields, Some(error)).await
        }
    }
}

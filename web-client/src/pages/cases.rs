//! A case: all that is known of it, who looks at it, and what is decided about it.
use askama::Template;
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use super::fields::{Fields, Id, Part};
use super::moderation::{names, new_key, person, subject};
use crate::api::Caller;
use crate::api::cases::{Account, Case};
use crate::api::evidence::Evidence;
use crate::api::failures::Failure;
use crate::api::moderation::{Action, case_page};
use crate::api::people::Card;
use crate::doors::errors::{form, html, refusal};
use crate::doors::refusals::Refusal;
use crate::doors::visitors::Member;
use crate::frame::Frame;
use crate::ground::assets;
use crate::texts::{DECISION_REASONS, Texts};

/// The most hours of a decision: a year.
const MOST_HOURS: i64 = 8_784;
/// What the form says of itself that lifts a restriction: its reason is a note, too.
const LIFT: &str = "lift";
/// The fields of a decision, which a question about it hands on.
const FIELDS: [&str; 8] = ["key", "action", "time", "hours", "reason", "public_note", "internal_note", "abusive"];

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage<'a> {
    page: Frame,
    kind: &'static str,
    id: Uuid,
    /// Of the decision and of the note: the same key with another body would be refused.
    key: String,
    note_key: String,
    held: Evidence,
    choices: &'static [&'static str],
    /// The reason that the case was reported or flagged for, until another one is chosen.
    chosen: String,
    /// A decision that was refused.
    fields: &'a Fields,
    error: Option<Refusal>,
    keys: [(&'static str, &'static str); 5],
    keys_script: &'static str,
}

impl CasePage<'_> {
    /// Whether the account is restricted by the auth service alone: what was decided here is taken back here.
    fn can_be_lifted(&self) -> bool {
        let is_restricted = self.held.account.as_ref().is_some_and(Account::is_restricted);
        self.kind == "USER" && is_restricted && self.held.decisions.is_empty()
    }

    /// Why a restriction was to be lifted, where that was refused.
    fn why_lifted(&self) -> &str {
        if self.fields.has("form", LIFT) { self.fields.get("note") } else { "" }
    }

    /// The note that was refused.
    fn note(&self) -> &str {
        if self.fields.has("form", LIFT) { "" } else { self.fields.get("note") }
    }
}

#[derive(Template)]
#[template(path = "sure.html")]
struct Sure {
    page: Frame,
    kind: &'static str,
    id: Uuid,
    author: Card,
    what: String,
    words: &'static str,
    reason: String,
    kept: Vec<(&'static str, String)>,
}

pub async fn case(Member(page, caller): Member, Part(kind): Part, Id(id): Id) -> Result<Response, Failure> {
    show_case(page, &caller, (subject(&kind)?, id), &Fields::default(), None).await
}

/// The case; with the decision that was refused, and why.
async fn show_case(
    page: Frame,
    caller: &Caller,
    (kind, id): (&'static str, Uuid),
    fields: &Fields,
    error: Option<Refusal>,
) -> Result<Response, Failure> {
    let held = caller.evidence(kind, id, None).await?;
    let given = Some(fields.get("reason")).filter(|reason| !reason.is_empty());
    let chosen = given.or_else(|| held.reason()).unwrap_or_default().to_owned();
    let t = page.t;
    let status = error.as_ref().map(|refusal| refusal.status);
    let shown = CasePage {
        page,
        kind,
        id,
        key: new_key(),
        note_key: new_key(),
        held,
        choices: choices(kind),
        chosen,
        fields,
        error,
        keys: [("c", t.claim), ("r", t.release), ("1 – 9", t.what_to_do), ("d", t.decide), ("q", t.queue)],
        keys_script: &assets::KEYS.path,
    };
    Ok(form(&shown, status))
}

/// What can be decided about a kind of subject.
fn choices(kind: &str) -> &'static [&'static str] {
    match kind {
        "USER" => &["DISMISS", "WARN", "REQUIRE_APPROVAL", "MUTE", "BAN", "RESTORE"],
        "POST" => &["DISMISS", "LIMIT", "LOCK", "HIDE", "REMOVE", "WARN", "REQUIRE_APPROVAL", "MUTE", "BAN", "RESTORE"],
        _ => &["DISMISS", "HIDE", "REMOVE", "WARN", "REQUIRE_APPROVAL", "MUTE", "BAN", "RESTORE"],
    }
}

/// Decides, unless it is for good: then it is asked first whether that is meant.
pub async fn decide(
    Member(page, caller): Member,
    Part(kind): Part,
    Id(id): Id,
    fields: Fields,
) -> Result<Response, Failure> {
    let case = (subject(&kind)?, id);
    let body = match decision(&fields, page.t) {
        Ok(body) => body,
        Err(words) => return show_case(page, &caller, case, &fields, Some(Refusal::because(words))).await,
    };
    if let Some(words) = irrevocable(&fields, page.t).filter(|_| !fields.has("sure", "yes")) {
        return ask(page, &caller, case, &fields, words).await;
    }
    let path = ["moderation", "subjects", case.0, &id.to_string(), "decisions"];
    match caller.put_once(&path, fields.get("key"), &body).await {
        Ok(_) => Ok(Redirect::to("/moderation?done=decided").into_response()),
        Err(failure) => {
            let error = refusal(failure, &page)?;
            show_case(page, &caller, case, &fields, Some(error)).await
        }
    }
}

/// Why a decision is asked about before it is made; none where it can be taken back, or ends.
fn irrevocable(fields: &Fields, t: &Texts) -> Option<&'static str> {
    match (fields.get("action"), fields.get("time")) {
        ("REMOVE", _) => Some(t.sure_remove),
        ("BAN", "permanent") => Some(t.sure_ban),
        _ => None,
    }
}

async fn ask(
    page: Frame,
    caller: &Caller,
    (kind, id): (&'static str, Uuid),
    fields: &Fields,
    words: &'static str,
) -> Result<Response, Failure> {
    let case: Case = caller.get(&["moderation", "subjects", kind, &id.to_string()], &[]).await?;
    let author = person(&names(caller, &[case.author.id]).await, case.author.id);
    let action = Action { action: fields.get("action").to_owned(), hours: None, label: None };
    let what = action.in_full(page.t);
    let given = FIELDS.into_iter().map(|name| (name, fields.get(name).to_owned()));
    let kept = given.filter(|(_, value)| !value.is_empty()).collect();
    let reason = fields.get("reason").to_owned();
    Ok(html(&Sure { page, kind, id, author, what, words, reason, kept }))
}

/// A decision of one action. How long it is, is chosen and never what is left over: an account is restricted for hours, or a ban for
/// good, and both are said.
fn decision(fields: &Fields, t: &Texts) -> Result<Value, &'static str> {
    let (action, reason) = (fields.get("action"), fields.get("reason"));
    if action.is_empty() || reason.is_empty() {
        return Err(t.choose_action_and_reason);
    }
    let hours = match fields.get("time") {
        "hours" => {
            let hours = fields.get("hours").trim().parse().ok().filter(|hours| (1..=MOST_HOURS).contains(hours));
            Some(hours.ok_or(t.wrong_hours)?)
        }
        _ => None,
    };
    let (mut chosen, mut until) = (json!({ "action": action }), Value::Null);
    match (action, hours) {
        ("REQUIRE_APPROVAL" | "MUTE" | "BAN", Some(hours)) => chosen["hours"] = json!(hours),
        ("REQUIRE_APPROVAL" | "MUTE", None) => return Err(t.needs_hours),
        ("BAN", None) if !fields.has("time", "permanent") => return Err(t.needs_time),
        ("LIMIT" | "LOCK" | "HIDE", Some(hours)) => until = json!(hours),
        (_, Some(_)) => return Err(t.takes_no_time),
        (_, None) => {}
    }
    Ok(json!({
        "actions": [chosen], "reason": reason, "hours": until, "abusive": fields.has("abusive", "yes"),
        "public_note": fields.optional("public_note"), "internal_note": fields.optional("internal_note"),
    }))
}

/// Back to the case after a change, or the case with the reason why there was none.
async fn changed(
    page: Frame,
    caller: &Caller,
    (kind, id): (&'static str, Uuid),
    fields: &Fields,
    (made, done): (Result<(), Failure>, &str),
) -> Result<Response, Failure> {
    match made {
        Ok(()) => Ok(Redirect::to(&format!("{}?done={done}", case_page(kind, id))).into_response()),
        Err(failure) => {
            let error = refusal(failure, &page)?;
            show_case(page, caller, (kind, id), fields, Some(error)).await
        }
    }
}

pub async fn claim(Member(page, caller): Member, Part(kind): Part, Id(id): Id) -> Result<Response, Failure> {
    let kind = subject(&kind)?;
    let done = caller.act(Method::POST, &["moderation", "subjects", kind, &id.to_string(), "claim"], &[]).await;
    changed(page, &caller, (kind, id), &Fields::default(), (done, "claimed")).await
}

/// Gives a case back to the others.
pub async fn release(Member(page, caller): Member, Part(kind): Part, Id(id): Id) -> Result<Response, Failure> {
    let kind = subject(&kind)?;
    let done = caller.act(Method::DELETE, &["moderation", "subjects", kind, &id.to_string(), "claim"], &[]).await;
    changed(page, &caller, (kind, id), &Fields::default(), (done, "released")).await
}

/// Writes a note for other moderators.
pub async fn note(
    Member(page, caller): Member,
    Part(kind): Part,
    Id(id): Id,
    fields: Fields,
) -> Result<Response, Failure> {
    noted(page, &caller, (subject(&kind)?, id), &fields, ("notes", "noted")).await
}

/// Hands a case to a senior moderator.
pub async fn escalate(
    Member(page, caller): Member,
    Part(kind): Part,
    Id(id): Id,
    fields: Fields,
) -> Result<Response, Failure> {
    noted(page, &caller, (subject(&kind)?, id), &fields, ("escalate", "escalated")).await
}

async fn noted(
    page: Frame,
    caller: &Caller,
    (kind, id): (&'static str, Uuid),
    fields: &Fields,
    (route, done): (&str, &str),
) -> Result<Response, Failure> {
    let path = ["moderation", "subjects", kind, &id.to_string(), route];
    match caller.put_once(&path, fields.get("key"), &json!({ "note": fields.get("note") })).await {
        Ok(_) => changed(page, caller, (kind, id), fields, (Ok(()), done)).await,
        Err(failure) => {
            let error = refusal(failure, &page)?;
            show_case(page, caller, (kind, id), fields, Some(error)).await
        }
    }
}

/// Lifts what the auth service alone restricts.
pub async fn lift(
    Member(page, caller): Member,
    Part(kind): Part,
    Id(id): Id,
    fields: Fields,
) -> Result<Response, Failure> {
    let kind = Some(subject(&kind)?).filter(|kind| *kind == "USER").ok_or(Failure::MISSING)?;
    let body = json!({ "status": "ACTIVE", "reason": fields.get("note") });
    let done = caller.put(Method::PUT, &["admin", "users", &id.to_string(), "status"], &body).await;
    changed(page, &caller, (kind, id), &fields, (done, "lifted")).await
}

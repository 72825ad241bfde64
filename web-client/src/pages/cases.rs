//! A case: all that is known of it, who looks at it, and what is decided about it.
use askama::Template;
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;
use uuid::Uuid;

use super::deciding::{ALONE, FIELDS, NewDecision, chosen, due, irrevocable};
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
use crate::texts::DECISION_REASONS;

/// What the form says of itself that lifts a restriction: its reason is a note, too.
const LIFT: &str = "lift";

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

    /// What can be done besides.
    fn besides(&self) -> Vec<&'static str> {
        self.choices.iter().copied().filter(|choice| !ALONE.contains(choice)).collect()
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
    /// When it is made, where that is not at once.
    due: Option<String>,
    words: Vec<&'static str>,
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

/// Decides, now or later, unless it is for good: then it is asked first whether that is meant. A case for which a decision is scheduled
/// stays where it is, so its page is shown again.
pub async fn decide(
    Member(page, caller): Member,
    Part(kind): Part,
    Id(id): Id,
    fields: Fields,
) -> Result<Response, Failure> {
    let case = (subject(&kind)?, id);
    let new = match NewDecision::of(&fields, page.t) {
        Ok(new) => new,
        Err(words) => return show_case(page, &caller, case, &fields, Some(Refusal::because(words))).await,
    };
    let words = irrevocable(&fields, page.t);
    if !words.is_empty() && !fields.has("sure", "yes") {
        return ask(page, &caller, case, &fields, words).await;
    }
    let path = ["moderation", "subjects", case.0, &id.to_string(), new.route()];
    match caller.put_once(&path, fields.get("key"), &new.body).await {
        Ok(_) if new.is_scheduled => {
            Ok(Redirect::to(&format!("{}?done=decision-scheduled", case_page(case.0, id))).into_response())
        }
        Ok(_) => Ok(Redirect::to("/moderation?done=decided").into_response()),
        Err(failure) => {
            let error = refusal(failure, &page)?;
            show_case(page, &caller, case, &fields, Some(error)).await
        }
    }
}

async fn ask(
    page: Frame,
    caller: &Caller,
    (kind, id): (&'static str, Uuid),
    fields: &Fields,
    words: Vec<&'static str>,
) -> Result<Response, Failure> {
    let case: Case = caller.get(&["moderation", "subjects", kind, &id.to_string()], &[]).await?;
    let author = person(&names(caller, &[case.author.id]).await, case.author.id);
    let in_words = |action: &str| match action {
        "BAN" if fields.has("time", "hours") => page.t.action(action),
        _ => Action { action: action.to_owned(), hours: None, label: None }.in_full(page.t),
    };
    let what = chosen(fields).into_iter().map(in_words).collect::<Vec<_>>().join(", ");
    let given = FIELDS.into_iter().flat_map(|name| fields.all(name).into_iter().map(move |value| (name, value)));
    let kept = given.filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name, value.to_owned())).collect();
    let (reason, due) = (fields.get("reason").to_owned(), due(fields, page.t));
    Ok(html(&Sure { page, kind, id, author, what, due, words, reason, kept }))
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

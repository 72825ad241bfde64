//! The appeals that wait for a moderator: the list, who looks at which, and each with all that its decision was made of.
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
use crate::doors::errors::{form, html, refusal};
use crate::doors::refusals::Refusal;
use crate::doors::visitors::{Member, Sender};
use crate::frame::Frame;
use crate::ground::assets;

#[derive(Template)]
#[template(path = "appeals.html")]
struct Appeals {
    page: Frame,
    /// Each with who appeals, and against what.
    waiting: Vec<(Appeal, Card, Option<Decision>)>,
    next: Option<String>,
    keys: [(&'static str, &'static str); 3],
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
    /// Who looks at it; without a name where they are not to be seen.
    claimant: Card,
    held: Evidence,
    /// An answer that was refused.
    note: &'a str,
    error: Option<Refusal>,
    keys: [(&'static str, &'static str); 4],
    keys_script: &'static str,
}

pub async fn list(Member(page, caller): Member, asked: Asked) -> Result<Response, Failure> {
    let mine = [("claimed_by_me", "true")];
    let query: &[(&str, &str)] = if asked.0.has("claimed_by_me", "true") { &mine } else { &[] };
    let Listed { items, next } = caller.list::<Appeal>(&["moderation", "appeals"], &asked.page(query)).await?;
    let authors: Vec<_> = items.iter().map(|appeal| appeal.author).collect();
    let decisions = futures::future::join_all(items.iter().map(|appeal| caller.decision(appeal.decision_id)));
    let (known, decisions) = futures::future::join(names(&caller, &authors), decisions).await;
    let with_decision = |(appeal, decision): (Appeal, Result<Decision, Failure>)| {
        let author = person(&known, appeal.author);
        // The page of the appeal says what is the matter.
        (appeal, author, decision.ok())
    };
    let waiting = items.into_iter().zip(decisions).map(with_decision).collect();
    let keys = [("n", page.t.claim_next), ("j, k", page.t.key_move), ("Enter", page.t.key_open)];
    Ok(html(&Appeals { page, waiting, next, keys, keys_script: &assets::KEYS.path }))
}

pub async fn read(Member(page, caller): Member, Id(id): Id) -> Result<Response, Failure> {
    show(page, &caller, id, "", None).await
}

/// An appeal with the decision that it is against, and what that was made of.
async fn show(page: Frame, caller: &Caller, id: Uuid, note: &str, error: Option<Refusal>) -> Result<Response, Failure> {
    let appeal = caller.open_appeal(id).await?.ok_or(Failure::MISSING)?;
    let decision = caller.decision(appeal.decision_id).await?;
    let kind = subject(&decision.subject_type)?;
    let held = caller.evidence(kind, decision.subject_id, decision.analysis).await?;
    let by = decision.moderator.unwrap_or_default();
    let known = names(caller, &decision.moderator.into_iter().chain(appeal.claimed_by).collect::<Vec<_>>()).await;
    let (decider, claimant) = (person(&known, by), person(&known, appeal.claimed_by.unwrap_or_default()));
    let status = error.as_ref().map(|refusal| refusal.status);
    let t = page.t;
    let keys = [("c", t.claim), ("r", t.release), ("d", t.answer), ("q", t.appeals)];
    let keys_script = &assets::KEYS.path;
    let shown = AppealPage { page, appeal, kind, decision, decider, claimant, held, note, error, keys, keys_script };
    Ok(form(&shown, status))
}

/// Claims the most urgent appeal that no moderator has, and leads to it.
pub async fn claim_next(Sender(caller): Sender) -> Result<Redirect, Failure> {
    let path = ["moderation", "appeals", "claim"];
    let claimed: Vec<Appeal> = caller.send(Method::POST, &path, &json!({ "limit": 1 })).await?;
    let none = || "/moderation/appeals?done=none-free".to_owned();
    let to = claimed.first().map_or_else(none, |appeal| format!("/moderation/appeals/{}", appeal.id));
    Ok(Redirect::to(&to))
}

pub async fn claim(Member(page, caller): Member, Id(id): Id) -> Result<Response, Failure> {
    change_claim(page, &caller, id, (Method::POST, "claimed")).await
}

/// Gives an appeal back to the others.
pub async fn release(Member(page, caller): Member, Id(id): Id) -> Result<Response, Failure> {
    change_claim(page, &caller, id, (Method::DELETE, "released")).await
}

async fn change_claim(
    page: Frame,
    caller: &Caller,
    id: Uuid,
    (method, done): (Method, &str),
) -> Result<Response, Failure> {
    match caller.act(method, &["moderation", "appeals", &id.to_string(), "claim"], &[]).await {
        Ok(()) => Ok(Redirect::to(&format!("/moderation/appeals/{id}?done={done}")).into_response()),
        Err(failure) => {
            let error = refusal(failure, &page)?;
            show(page, caller, id, "", Some(error)).await
        }
    }
}

pub async fn resolve(Member(page, caller): Member, Id(id): Id, fields: Fields) -> Result<Response, Failure> {
    let note = fields.get("note");
    let body = json!({ "outcome": fields.get("outcome"), "note": note });
    match caller.put(Method::POST, &["moderation", "appeals", &id.to_string(), "resolve"], &body).await {
        Ok(()) => Ok(Redirect::to("/moderation/appeals?done=decided").into_response()),
        Err(failure) => {
            // It was resolved meanwhile: there is no page of it to come back to, and that of the error has the answer that was written.
            if failure.is(StatusCode::CONFLICT) && caller.open_appeal(id).await?.is_none() {
                return Err(failure);
            }
            let error = refusal(failure, &page)?;
            show(page, &caller, id, note, Some(error)).await
        }
    }
}

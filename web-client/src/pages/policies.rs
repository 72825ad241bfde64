//! The policies of the platform, for administrators: what they have, and changes, each of which is tried on past contents before it is saved.
use askama::Template;
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use super::fields::{Fields, Id};
use super::moderation::{names, new_key, person};
use super::policy_fields::PolicyDraft;
use crate::api::Caller;
use crate::api::failures::Failure;
use crate::api::people::Card;
use crate::api::policies::{Policy, PolicyVersion, Trial};
use crate::doors::errors::{form, html, refusal};
use crate::doors::refusals::Refusal;
use crate::doors::visitors::Member;
use crate::frame::Frame;

/// The modes of a policy, as the form offers them.
const MODES: [&str; 3] = ["ENFORCE", "SHADOW", "OFF"];
/// What follows from a rule, the mildest first.
const OUTCOMES: [&str; 7] = ["ALLOW", "LABEL", "REVIEW", "LIMIT", "HOLD", "HIDE", "REMOVE"];
/// The field by which a form says what is to be done with it: shown to be edited, saved, or, without it, tried.
const STEP: &str = "step";

#[derive(Template)]
#[template(path = "policies.html")]
struct Policies {
    page: Frame,
    policies: Vec<Policy>,
}

#[derive(Template)]
#[template(path = "policy.html")]
struct PolicyForm {
    page: Frame,
    /// Where it is sent to.
    action: String,
    draft: PolicyDraft,
    /// Each with who has written it.
    versions: Vec<(PolicyVersion, Card)>,
    error: Option<Refusal>,
}

#[derive(Template)]
#[template(path = "policy_trial.html")]
struct PolicyTrial<'a> {
    page: Frame,
    action: String,
    name: &'a str,
    mode: &'a str,
    /// None: it could not be tried.
    trial: Option<Trial>,
    /// The form, as it is saved or edited again.
    kept: Vec<(&'a str, &'a str)>,
}

pub async fn list(Member(page, caller): Member) -> Result<Response, Failure> {
    let policies = caller.policies().await?;
    Ok(html(&Policies { page, policies }))
}

pub async fn blank(Member(page, caller): Member) -> Result<Response, Failure> {
    show(page, &caller, None, PolicyDraft::blank(new_key()), None).await
}

pub async fn read(Member(page, caller): Member, Id(id): Id) -> Result<Response, Failure> {
    let history = caller.policy(id).await?;
    let draft = PolicyDraft::of(&history.policy);
    let versions = written_by(&caller, history.versions).await;
    Ok(form(&PolicyForm { page, action: action(Some(id)), draft, versions, error: None }, None))
}

pub async fn create(Member(page, caller): Member, fields: Fields) -> Result<Response, Failure> {
    take(page, &caller, None, &fields).await
}

pub async fn change(Member(page, caller): Member, Id(id): Id, fields: Fields) -> Result<Response, Failure> {
    take(page, &caller, Some(id), &fields).await
}

fn action(id: Option<Uuid>) -> String {
    id.map_or_else(|| "/moderation/policies/new".to_owned(), |id| format!("/moderation/policies/{id}"))
}

/// The form of a policy, as it was entered.
async fn show(
    page: Frame,
    caller: &Caller,
    id: Option<Uuid>,
    draft: PolicyDraft,
    error: Option<Refusal>,
) -> Result<Response, Failure> {
    let versions = if let Some(id) = id {
        written_by(caller, caller.policy(id).await?.versions).await
    } else {
        caller.may_see_policies().await?;
        Vec::new()
    };
    let status = error.as_ref().map(|refusal| refusal.status);
    Ok(form(&PolicyForm { page, action: action(id), draft, versions, error }, status))
}

/// Versions, each with who has written it; without a name, where none has.
async fn written_by(caller: &Caller, versions: Vec<PolicyVersion>) -> Vec<(PolicyVersion, Card)> {
    let known = names(caller, &versions.iter().filter_map(|version| version.by).collect::<Vec<_>>()).await;
    let with_author = |version: PolicyVersion| {
        let author = person(&known, version.by.unwrap_or_default());
        (version, author)
    };
    versions.into_iter().map(with_author).collect()
}

/// A form that was sent: shown again to be edited, tried, or saved as it was tried.
async fn take(page: Frame, caller: &Caller, id: Option<Uuid>, fields: &Fields) -> Result<Response, Failure> {
    let draft = PolicyDraft::sent(fields);
    if fields.has(STEP, "edit") {
        return show(page, caller, id, draft, None).await;
    }
    let rules = match draft.rules(page.t) {
        Ok(rules) => rules,
        Err(error) => return show(page, caller, id, draft, Some(error)).await,
    };
    let failure = if fields.has(STEP, "save") {
        match save(caller, id, &draft, &rules).await {
            Ok(()) => return Ok(Redirect::to("/moderation/policies?done=saved").into_response()),
            Err(failure) => failure,
        }
    } else {
        // What is switched off does nothing, so that is what is tried.
        let tried = if draft.mode == "OFF" { &[][..] } else { &rules[..] };
        let trial = match caller.try_rules(id, tried).await {
            Ok(trial) => Ok(Some(trial)),
            Err(Failure::Away(cause)) => {
                tracing::warn!(%cause, "a policy was not tried");
                Ok(None)
            }
            Err(failure) => Err(failure),
        };
        match trial {
            Ok(trial) => {
                let all = fields.0.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                let kept = all.filter(|(name, _)| *name != STEP).collect();
                let (name, mode) = (draft.name.as_str(), draft.mode.as_str());
                return Ok(html(&PolicyTrial { page, action: action(id), name, mode, trial, kept }));
            }
            Err(failure) => failure,
        }
    };
    let error = refusal(failure, &page)?;
    // Under its key a refused one would be refused again, whatever else is in it.
    show(page, caller, id, PolicyDraft { key: new_key(), ..draft }, Some(error)).await
}

async fn save(caller: &Caller, id: Option<Uuid>, draft: &PolicyDraft, rules: &[Value]) -> Result<(), Failure> {
    let note = Some(draft.note.trim()).filter(|note| !note.is_empty());
    let body = json!({
        "name": draft.name.trim(), "mode": draft.mode, "rules": rules, "note": note,
        "version": draft.version.parse::<i64>().unwrap_or_default(),
    });
    match id {
        Some(id) => caller.put(Method::PUT, &["moderation", "policies", &id.to_string()], &body).await,
        None => caller.put_once(&["moderation", "policies"], &draft.key, &body).await.map(drop),
    }
}

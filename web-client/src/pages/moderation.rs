//! The moderators' queue: what waits, by what is asked for, and taking the next case.
use std::collections::HashMap;

use askama::Template;
use axum::http::Method;
use axum::response::{Redirect, Response};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::fields::{Asked, Fields};
use crate::api::failures::Failure;
use crate::api::moderation::QueueItem;
use crate::api::people::Card;
use crate::api::{Caller, Listed};
use crate::doors::errors::form;
use crate::doors::refusals::Refusal;
use crate::doors::visitors::{Member, Sender};
use crate::frame::Frame;
use crate::ground::assets;
use crate::texts::{DECISION_REASONS, FAMILIES, Texts};

/// What can be done to many at once: what needs hours is decided case by case.
pub(super) const BULK_ACTIONS: [&str; 3] = ["DISMISS", "HIDE", "REMOVE"];
/// What can be reported and decided about.
pub(super) const SUBJECTS: [&str; 4] = ["POST", "COMMENT", "USER", "MEDIA"];
/// What a queue is asked for, by the names that the API has.
const FILTERS: [&str; 4] = ["type", "family", "flagged_by", "escalated"];

/// A choice of a filter: its name, its label, and each value with its words.
type FilterChoice = (&'static str, &'static str, Vec<(&'static str, String)>);

#[derive(Template)]
#[template(path = "queue.html")]
struct Queue<'a> {
    page: Frame,
    items: Vec<(QueueItem, Card)>,
    next: Option<String>,
    filters: Vec<FilterChoice>,
    /// The filters of this page.
    kept: Vec<(&'static str, String)>,
    /// A decision about many that was refused; empty where there was none.
    fields: &'a Fields,
    error: Option<Refusal>,
    keys: [(&'static str, &'static str); 4],
    keys_script: &'static str,
}

impl Queue<'_> {
    fn is_kept(&self, name: &str, value: &str) -> bool {
        self.kept.iter().any(|(kept, chosen)| *kept == name && chosen == value)
    }

    fn is_chosen(&self, kind: &str, id: &Uuid) -> bool {
        self.fields.has("subjects", &format!("{kind}/{id}"))
    }
}

pub(super) fn new_key() -> String {
    Uuid::now_v7().to_string()
}

/// The kind of a subject, as a path has it.
pub(super) fn subject(kind: &str) -> Result<&'static str, Failure> {
    SUBJECTS.into_iter().find(|known| *known == kind).ok_or(Failure::MISSING)
}

pub async fn queue(Member(page, caller): Member, asked: Asked) -> Result<Response, Failure> {
    show_queue(page, &caller, &asked, &Fields::default(), None).await
}

/// The queue; with what was refused of a decision about many, and why.
pub(super) async fn show_queue(
    page: Frame,
    caller: &Caller,
    asked: &Asked,
    fields: &Fields,
    error: Option<Refusal>,
) -> Result<Response, Failure> {
    let kept = filters_of(&asked.0);
    let mut query: Vec<_> = kept.iter().map(|(name, value)| (*name, value.as_str())).collect();
    if asked.0.has("claimed_by_me", "true") {
        query.push(("claimed_by_me", "true"));
    }
    let Listed { items, next } = caller.list::<QueueItem>(&["moderation", "queue"], &asked.page(&query)).await?;
    let known = names(caller, &items.iter().map(|item| item.author).collect::<Vec<_>>()).await;
    let with_author = |item: QueueItem| {
        let author = person(&known, item.author);
        (item, author)
    };
    let items = items.into_iter().map(with_author).collect();
    let t = page.t;
    let status = error.as_ref().map(|refusal| refusal.status);
    let shown = Queue {
        page,
        items,
        next,
        filters: filter_choices(t),
        kept,
        fields,
        error,
        keys: [("n", t.claim_next), ("j, k", t.key_move), ("x", t.choose_case), ("Enter", t.key_open)],
        keys_script: &assets::KEYS.path,
    };
    Ok(form(&shown, status))
}

/// Looks up people by their ids. A page without their names is better than none.
pub(super) async fn names(caller: &Caller, ids: &[Uuid]) -> HashMap<Uuid, Card> {
    let found = caller.people(ids).await.unwrap_or_else(|failure| {
        tracing::warn!(%failure, "people were not looked up");
        Vec::new()
    });
    found.into_iter().map(|card| (card.id, card)).collect()
}

/// The person with this id; without a name where they were not found.
pub(super) fn person(known: &HashMap<Uuid, Card>, id: Uuid) -> Card {
    known.get(&id).cloned().unwrap_or_else(|| Card { id, ..Card::default() })
}

/// The filters among these fields.
fn filters_of(fields: &Fields) -> Vec<(&'static str, String)> {
    let given = FILTERS.into_iter().map(|name| (name, fields.get(name).to_owned()));
    given.filter(|(_, value)| !value.is_empty()).collect()
}

fn filter_choices(t: &Texts) -> Vec<FilterChoice> {
    let by = [("MACHINE", t.flagged_by("MACHINE")), ("PEOPLE", t.flagged_by("PEOPLE"))];
    let escalated = [("true", t.escalated.to_owned()), ("false", t.not_escalated.to_owned())];
    vec![
        ("type", t.about_what, SUBJECTS.map(|kind| (kind, t.subject(kind))).to_vec()),
        ("family", t.family, FAMILIES.map(|family| (family, t.family_of(family))).to_vec()),
        ("flagged_by", t.brought_by, by.to_vec()),
        ("escalated", t.escalation, escalated.to_vec()),
    ]
}

/// Claims the gravest case that no moderator has, of those that the queue is filtered by, and leads to it.
pub async fn claim_next(Sender(caller): Sender, fields: Fields) -> Result<Redirect, Failure> {
    let mut body = Map::from_iter([("limit".to_owned(), json!(1))]);
    for (name, value) in filters_of(&fields) {
        let value = if name == "escalated" { json!(value == "true") } else { Value::String(value) };
        body.insert(name.to_owned(), value);
    }
    let claimed: Vec<QueueItem> = caller.send(Method::POST, &["moderation", "queue", "claim"], &body).await?;
    let to = claimed.first().map_or_else(|| "/moderation?done=none-free".to_owned(), QueueItem::link);
    Ok(Redirect::to(&to))
}

//! The list of notifications.
use askama::Template;
use axum::http::Method;
use axum::response::{Redirect, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::fields::{Asked, Fields, Id};
use crate::api::Listed;
use crate::api::failures::Failure;
use crate::api::people::Card;
use crate::doors::errors::html;
use crate::doors::visitors::{Member, Sender};
use crate::frame::Frame;
use crate::ground::words::{fill, visible};

/// How many faces stand beside a notification.
const FACES: usize = 3;

#[derive(Template)]
#[template(path = "notifications.html")]
struct Notifications {
    page: Frame,
    shown: Vec<Notification>,
    next: Option<String>,
    /// Up to which change all can be marked as read; a time where the API counts none.
    newest: Option<String>,
}

/// Something that happened, with all who did it.
#[derive(Debug, Deserialize)]
struct Notification {
    id: Uuid,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    actors: Vec<Card>,
    #[serde(default)]
    total_actors: i64,
    post: Option<NotedPost>,
    text: String,
    updated_at: DateTime<Utc>,
    viewed_at: Option<DateTime<Utc>>,
    /// The number of its last change; none from an API of an earlier release.
    change: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct NotedPost {
    id: Uuid,
    #[serde(default)]
    excerpt: String,
}

impl Notification {
    fn first_actors(&self) -> &[Card] {
        &self.actors[..self.actors.len().min(FACES)]
    }

    /// In the reader's language; kinds that have words of their own come as they are.
    fn sentence(&self, page: &Frame) -> String {
        let (Some(sentence), Some(first)) = (page.t.notification(&self.kind), self.actors.first()) else {
            return visible(&self.text);
        };
        let name = page.name(first);
        let others = self.total_actors - 1;
        let who = if others > 0 { fill(page.t.and_others, &[&name, &others.to_string()]) } else { name };
        fill(sentence, &[&who])
    }

    /// What it is about: a post, or the person who did it.
    fn link(&self) -> String {
        match (&self.post, self.actors.first()) {
            (Some(post), _) => format!("/posts/{}", post.id),
            (None, Some(actor)) => actor.link(),
            (None, None) => "/notifications".to_owned(),
        }
    }
}

pub async fn list(Member(page, caller): Member, asked: Asked) -> Result<Response, Failure> {
    let Listed { items, next } = caller.list::<Notification>(&["me", "notifications"], &asked.page(&[])).await?;
    let unread = items.iter().any(|one| one.viewed_at.is_none());
    let change = items.iter().filter_map(|one| one.change).max().map(|change| change.to_string());
    let newest = items.iter().map(|one| one.updated_at).max();
    let newest = change.or(newest.map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)));
    let newest = newest.filter(|_| unread);
    Ok(html(&Notifications { page, shown: items, next, newest }))
}

pub async fn read_all(Sender(caller): Sender, fields: Fields) -> Result<Redirect, Failure> {
    let up_to = fields.get("up_to");
    let body = match up_to.parse::<i64>() {
        Ok(change) => json!({ "up_to_change": change }),
        Err(_) => json!({ "up_to": up_to }),
    };
    caller.put(Method::POST, &["me", "notifications", "view"], &body).await?;
    Ok(Redirect::to("/notifications"))
}

pub async fn remove(Sender(caller): Sender, Id(id): Id) -> Result<Redirect, Failure> {
    caller.act(Method::DELETE, &["me", "notifications", &id.to_string()], &[]).await?;
    Ok(Redirect::to("/notifications"))
}

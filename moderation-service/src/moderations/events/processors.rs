//! What the moderation service does when it hears of something.
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::App;
use crate::core::events::{Effect, Event};
use crate::core::timestamp::Timestamp;
use crate::moderations::models::Content;
use crate::moderations::{Kind, signals};

#[derive(Deserialize)]
struct Post {
    id: Uuid,
    created_by: Uuid,
    updated_at: Timestamp,
    title: Option<String>,
    content: String,
    status: String,
}

#[derive(Deserialize)]
struct Comment {
    id: Uuid,
    created_by: Uuid,
    updated_at: Timestamp,
    content: String,
}

/// A post or comment that is no more.
#[derive(Deserialize)]
struct Gone {
    id: Uuid,
}

fn post(event: &Event) -> serde_json::Result<Content> {
    let post: Post = serde_json::from_str(&event.message)?;
    // A draft is nobody's business but its author's; it is read when it is published.
    let text = (post.status == "POSTED").then(|| match post.title {
        Some(title) => format!("{title}\n{}", post.content),
        None => post.content,
    });
    let raw = RawValue::from_string(event.message.clone())?;
    Ok(Content { kind: Kind::Post, id: post.id, author: post.created_by, version: post.updated_at, text, raw })
}

fn comment(event: &Event) -> serde_json::Result<Content> {
    let comment: Comment = serde_json::from_str(&event.message)?;
    Ok(Content {
        kind: Kind::Comment,
        id: comment.id,
        author: comment.created_by,
        version: comment.updated_at,
        text: Some(comment.content),
        raw: RawValue::from_string(event.message.clone())?,
    })
}

/// The newest version of each content in a batch, in the order in which they came to be.
fn newest(events: &[Event], read: fn(&Event) -> serde_json::Result<Content>) -> serde_json::Result<Vec<Content>> {
    let mut newest: HashMap<Uuid, Content> = HashMap::new();
    for event in events {
        let content = read(event)?;
        if newest.get(&content.id).is_none_or(|known| known.version < content.version) {
            newest.insert(content.id, content);
        }
    }
    let mut newest: Vec<Content> = newest.into_values().collect();
    newest.sort_unstable_by_key(|content| (content.version, content.id));
    Ok(newest)
}

/// A post is read, unless it is known in this version or a later one, or gone.
pub fn post_written<'a>(app: &'a App, tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move { signals::written(tx, app.resources.analyser.clone(), newest(events, post)?).await })
}

/// A comment is read, unless it is known in this version or a later one, or gone.
pub fn comment_written<'a>(app: &'a App, tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move { signals::written(tx, app.resources.analyser.clone(), newest(events, comment)?).await })
}

/// A post or comment is gone: a case about it is closed, and none will be opened, whatever of it comes late.
pub fn content_gone<'a>(_: &'a App, tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let gone: Vec<Gone> = events.iter().map(|e| serde_json::from_str(&e.message)).collect::<Result<_, _>>()?;
        let gone: Vec<Uuid> = gone.into_iter().map(|content| content.id).collect();
        Ok(signals::gone(tx, &gone).await?)
    })
}

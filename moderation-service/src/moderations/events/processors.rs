//! What the moderation service does when it hears of something.
use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event, Processor};
use crate::moderations::models::Content;
use crate::moderations::services::Analyser;
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

/// The content of a post as its author left it.
pub fn post(event: &Event) -> serde_json::Result<Content> {
    let post: Post = serde_json::from_str(&event.message)?;
    // A draft is nobody's business but its author's; it is read when it is published.
    let text = (post.status == "POSTED").then(|| match post.title {
        Some(title) => format!("{title}\n{}", post.content),
        None => post.content,
    });
    let raw = RawValue::from_string(event.message.clone())?;
    Ok(Content { kind: Kind::Post, id: post.id, author: post.created_by, version: post.updated_at, text, raw })
}

/// The content of a comment as its author left it.
pub fn comment(event: &Event) -> serde_json::Result<Content> {
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

/// Reads what was written, unless it is known in this version or a later one, or gone.
pub struct Analyse {
    pub analyser: Arc<dyn Analyser>,
    /// Takes the content out of an event.
    pub content: fn(&Event) -> serde_json::Result<Content>,
}

impl Processor for Analyse {
    fn apply<'a>(&'a self, tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
        Box::pin(async move { signals::written(tx, self.analyser.clone(), newest(events, self.content)?).await })
    }
}

/// A post or comment is gone: a case about it is closed, and none will be opened, whatever of it comes late.
pub fn content_gone<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let gone: Vec<Gone> = events.iter().map(|e| serde_json::from_str(&e.message)).collect::<Result<_, _>>()?;
        let gone: Vec<Uuid> = gone.into_iter().map(|content| content.id).collect();
        Ok(signals::gone(tx, &gone).await?)
    })
}

//! Analyses new versions of posts and comments, and closes cases about deleted ones.
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

/// A post or comment that was deleted.
#[derive(Deserialize)]
struct Deleted {
    id: Uuid,
}

/// Reads the content of a post's version.
pub fn read_post(event: &Event) -> serde_json::Result<Content> {
    let post: Post = serde_json::from_str(&event.message)?;
    // A draft is private; it is analysed when it is published.
    let text = (post.status == "POSTED").then(|| match post.title {
        Some(title) => format!("{title}\n{}", post.content),
        None => post.content,
    });
    let raw = RawValue::from_string(event.message.clone())?;
    Ok(Content { kind: Kind::Post, id: post.id, author: post.created_by, version: post.updated_at, text, raw })
}

/// Reads the content of a comment's version.
pub fn read_comment(event: &Event) -> serde_json::Result<Content> {
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

/// The newest version of each content in a batch, in the order of the versions.
fn newest_versions(
    events: &[Event],
    read: fn(&Event) -> serde_json::Result<Content>,
) -> serde_json::Result<Vec<Content>> {
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

/// Analyses contents, but those known in this version or a later one, and those that were deleted.
pub struct ContentReader {
    pub analyser: Arc<dyn Analyser>,
    /// Reads the content of an event.
    pub read: fn(&Event) -> serde_json::Result<Content>,
}

impl Processor for ContentReader {
    fn apply<'a>(&'a self, tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
        Box::pin(async move { signals::written(tx, self.analyser.clone(), newest_versions(events, self.read)?).await })
    }
}

/// Closes the cases about deleted posts or comments. No case is opened for a version that is consumed later.
pub fn content_deleted<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let deleted: Vec<Deleted> =
            events.iter().map(|e| serde_json::from_str(&e.message)).collect::<Result<_, _>>()?;
        let deleted: Vec<Uuid> = deleted.into_iter().map(|content| content.id).collect();
        Ok(signals::deleted(tx, &deleted).await?)
    })
}

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
    /// The version that a moderator restored, where one did.
    restored_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Comment {
    id: Uuid,
    created_by: Uuid,
    updated_at: Timestamp,
    content: String,
    /// The version that a moderator restored, where one did.
    restored_at: Option<Timestamp>,
}

/// A post or comment that was deleted, or is hidden until a moderator restores it.
#[derive(Deserialize)]
struct Deleted {
    id: Uuid,
    hidden_at: Option<Timestamp>,
}

/// Reads the content of a post's version.
pub fn read_post(event: &Event) -> serde_json::Result<Content> {
    let post: Post = serde_json::from_str(&event.message)?;
    // A draft is private; it is analysed when it is published. What a moderator has decided, the analyser does not reverse.
    let restored = post.restored_at == Some(post.updated_at);
    let text = (post.status == "POSTED" && !restored).then(|| match post.title {
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
        text: (comment.restored_at != Some(comment.updated_at)).then_some(comment.content),
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

fn read_deletions(events: &[Event]) -> serde_json::Result<Vec<Deleted>> {
    events.iter().map(|event| serde_json::from_str(&event.message)).collect()
}

/// Closes the cases about posts or comments that were deleted or hidden. For a deleted one no case is opened when a version
/// is consumed later.
pub fn content_deleted<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let (hidden, deleted): (Vec<_>, Vec<_>) =
            read_deletions(events)?.into_iter().partition(|content| content.hidden_at.is_some());
        let ids = |contents: Vec<Deleted>| contents.into_iter().map(|content| content.id).collect::<Vec<_>>();
        signals::hidden(tx, &ids(hidden)).await?;
        Ok(signals::deleted(tx, &ids(deleted)).await?)
    })
}

/// Closes the cases whose requests are done. The content is hidden, or its deletion is published as such.
pub fn request_completed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let ids: Vec<Uuid> = read_deletions(events)?.into_iter().map(|content| content.id).collect();
        Ok(signals::hidden(tx, &ids).await?)
    })
}

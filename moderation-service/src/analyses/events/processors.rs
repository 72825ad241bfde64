//! Analyses new versions of posts, comments and profiles, and closes cases about deleted ones.
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use serde_json::value::RawValue;
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use crate::analyses::reading::Pipeline;
use crate::analyses::signals::{self, Readings};
use crate::contents::models::Content;
use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event, Processor};
use crate::scopes::models::{AccountRight, ChangedRight};
use crate::scopes::rights::ChangedAccount;
use crate::subjects::{SubjectKey, SubjectType};

/// Readings that wait for the transaction of their texts, from which on the older ones are forgotten. Those of a batch are fewer, and what
/// lies beside them was read for one that another reader has applied.
const KEPT: usize = 128;
/// The status of a post that other users can read.
const POSTED: &str = "POSTED";

#[derive(Deserialize)]
struct Post {
    id: Uuid,
    created_at: Timestamp,
    created_by: Uuid,
    updated_at: Timestamp,
    title: Option<String>,
    content: String,
    /// What it is about, with words of its own.
    item: Option<PostItem>,
    /// The pictures that it shows, with the words that describe them.
    #[serde(default)]
    media: Option<Vec<PostPicture>>,
    status: String,
    #[serde(default)]
    total_views: i64,
    #[serde(default)]
    total_comments: i64,
    #[serde(default)]
    total_reactions: i64,
    /// The version that a moderator restored, where one did.
    restored_at: Option<Timestamp>,
    /// The version of its subject here that it follows from, where it was no moderator there.
    decision_version: Option<i64>,
}

/// The item of a post, as its readers read it: in the words of the first post about it.
#[derive(Deserialize)]
struct PostItem {
    title: String,
    #[serde(default)]
    artists: Vec<String>,
    site: Option<String>,
}

/// A picture of a post, as those read it who do not see it.
#[derive(Deserialize)]
struct PostPicture {
    alt: Option<String>,
}

#[derive(Deserialize)]
struct Comment {
    id: Uuid,
    created_at: Timestamp,
    created_by: Uuid,
    updated_at: Timestamp,
    post_id: Uuid,
    content: String,
    /// The version that a moderator restored, where one did.
    restored_at: Option<Timestamp>,
    /// The version of its subject here that it follows from, where it was no moderator there.
    decision_version: Option<i64>,
}

/// A post or comment that was deleted, or is hidden until a moderator restores it.
#[derive(Deserialize)]
struct Deleted {
    id: Uuid,
    hidden_at: Option<Timestamp>,
}

/// Reads the content of a post's version. A draft is private: it is analysed when it is published.
pub fn read_post(event: &Event) -> serde_json::Result<Content> {
    let post: Post = serde_json::from_str(&event.message)?;
    let is_public = post.status == POSTED;
    let about = post.item.into_iter().flat_map(|item| [item.title].into_iter().chain(item.artists).chain(item.site));
    let pictures = post.media.into_iter().flatten().filter_map(|picture| picture.alt).filter(|alt| !alt.is_empty());
    let text = post.title.into_iter().chain([post.content]).chain(about).chain(pictures);
    let text = text.collect::<Vec<_>>().join("\n");
    let raw = RawValue::from_string(event.message.clone())?;
    Ok(Content {
        key: SubjectKey { r#type: SubjectType::Post, id: post.id },
        author: post.created_by,
        version: post.updated_at,
        created_at: post.created_at,
        post_id: None,
        text: is_public.then_some(text),
        reach: post.total_views.saturating_add(post.total_comments).saturating_add(post.total_reactions),
        is_restored: post.restored_at == Some(post.updated_at),
        follows_decision: post.decision_version.is_some(),
        raw: is_public.then_some(raw),
    })
}

/// Reads the content of a comment's version.
pub fn read_comment(event: &Event) -> serde_json::Result<Content> {
    let comment: Comment = serde_json::from_str(&event.message)?;
    Ok(Content {
        key: SubjectKey { r#type: SubjectType::Comment, id: comment.id },
        author: comment.created_by,
        version: comment.updated_at,
        created_at: comment.created_at,
        post_id: Some(comment.post_id),
        text: Some(comment.content),
        reach: 0,
        is_restored: comment.restored_at == Some(comment.updated_at),
        follows_decision: comment.decision_version.is_some(),
        raw: Some(RawValue::from_string(event.message.clone())?),
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
        if newest.get(&content.key.id).is_none_or(|known| known.version < content.version) {
            newest.insert(content.key.id, content);
        }
    }
    let mut newest: Vec<Content> = newest.into_values().collect();
    newest.sort_unstable_by_key(|content| (content.version, content.key.id));
    Ok(newest)
}

/// Analyses contents, but those known in this version or a later one, and those that were deleted. The texts are read before the
/// transaction begins.
pub struct ContentProcessor {
    db: PgPool,
    pipeline: Pipeline,
    /// Reads the content of an event.
    read: fn(&Event) -> serde_json::Result<Content>,
    /// What was read and is not judged yet.
    readings: Mutex<Readings>,
}

impl ContentProcessor {
    /// A processor of events of which the function reads the content.
    pub fn new(db: &PgPool, pipeline: &Pipeline, read: fn(&Event) -> serde_json::Result<Content>) -> Self {
        Self { db: db.clone(), pipeline: pipeline.clone(), read, readings: Mutex::default() }
    }

    fn keep(&self, new: Readings) {
        let mut readings = self.readings.lock().unwrap_or_else(PoisonError::into_inner);
        if readings.len() >= KEPT {
            readings.clear();
        }
        readings.extend(new);
    }

    fn take(&self, contents: &[Content]) -> Readings {
        let mut readings = self.readings.lock().unwrap_or_else(PoisonError::into_inner);
        contents.iter().filter_map(|content| readings.remove_entry(&content.key.id)).collect()
    }
}

impl Processor for ContentProcessor {
    fn prepare<'a>(&'a self, events: &'a [Event]) -> Effect<'a> {
        Box::pin(async move {
            let versions = newest_versions(events, self.read)?;
            self.keep(signals::read_new(&self.db, &self.pipeline.reader, &versions).await?);
            Ok(())
        })
    }

    fn apply<'a>(&'a self, tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
        Box::pin(async move {
            let versions = newest_versions(events, self.read)?;
            let readings = self.take(&versions);
            signals::written(tx, &self.pipeline, versions, readings).await
        })
    }
}

/// A profile, as its owner has changed it.
#[derive(Deserialize)]
struct ChangedProfile {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// Original services do not say.
    bio: Option<String>,
}

/// Reads what a user says of themselves.
pub fn read_profile(event: &Event) -> serde_json::Result<Content> {
    let profile: ChangedProfile = serde_json::from_str(&event.message)?;
    Ok(Content {
        key: SubjectKey::user(profile.id),
        author: profile.id,
        version: profile.updated_at,
        created_at: profile.created_at,
        post_id: None,
        text: profile.bio.filter(|bio| !bio.is_empty()),
        reach: 0,
        is_restored: false,
        follows_decision: false,
        raw: None,
    })
}

/// Saves what accounts may do, and analyses what their owners say of themselves.
pub struct ProfileProcessor(pub ContentProcessor);

impl Processor for ProfileProcessor {
    fn prepare<'a>(&'a self, events: &'a [Event]) -> Effect<'a> {
        self.0.prepare(events)
    }

    fn apply<'a>(&'a self, tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
        Box::pin(async move {
            let accounts: Vec<ChangedAccount> =
                events.iter().map(|event| serde_json::from_str(&event.message)).collect::<Result<_, _>>()?;
            let rights: Vec<ChangedRight> = accounts.iter().filter_map(ChangedAccount::right).collect();
            AccountRight::save(tx, &rights).await?;
            self.0.apply(tx, events).await
        })
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

//! Processes the events that posts depend on: counts interactions, and hides posts on moderation's request.
use std::collections::HashMap;

use redis::aio::ConnectionManager;
use serde::Deserialize;
use serde_json::value::RawValue;
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use super::producers;
use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event, Failure, Processor};
use crate::posts::authors::models::save_connections;
use crate::posts::models::{Delta, Post};
use crate::posts::schemas::PostOut;
use crate::posts::signals;

/// The key of the hash in which the auth service keeps what other services may read of a user.
fn user_key(user: Uuid) -> String {
    format!(":apps.core.models.UserDetailInfo:{user}")
}

/// The post's id in the event of a view, a comment or a reaction. The event of a view is the post itself, as it was shown.
#[derive(Deserialize)]
struct Interaction {
    post_id: Option<Uuid>,
    id: Option<Uuid>,
}

#[derive(Deserialize)]
struct DeleteRequested {
    content_id: Uuid,
    /// The post as moderation saw it.
    raw_content: Box<RawValue>,
    reason: Option<String>,
}

/// The version of a post that moderation saw.
#[derive(Deserialize)]
struct AnalysedVersion {
    updated_at: Option<Timestamp>,
}

fn read_post_id(event: &Event) -> serde_json::Result<Uuid> {
    let about: Interaction = serde_json::from_str(&event.message)?;
    about.post_id.or(about.id).ok_or_else(|| serde::de::Error::missing_field("post_id"))
}

/// Counts interactions with posts. It first reads the authors' numbers of connections, since popularity depends on both.
pub struct InteractionCounter {
    pub db: PgPool,
    pub redis: ConnectionManager,
    /// What each event changes.
    pub delta: Delta,
}

impl Processor for InteractionCounter {
    fn prepare<'a>(&'a self, events: &'a [Event]) -> Effect<'a> {
        Box::pin(self.refresh_authors(events))
    }

    fn apply<'a>(&'a self, tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
        Box::pin(async move {
            let mut deltas: HashMap<Uuid, Delta> = HashMap::new();
            for event in events {
                *deltas.entry(read_post_id(event)?).or_default() += self.delta;
            }
            Ok(signals::counted(tx, &deltas).await?)
        })
    }
}

impl InteractionCounter {
    async fn refresh_authors(&self, events: &[Event]) -> Result<(), Failure> {
        // An event that cannot be read is skipped here; `apply` reports it.
        let posts: Vec<_> = events.iter().filter_map(|event| read_post_id(event).ok()).collect();
        let authors = Post::authors(&self.db, &posts).await?;
        if authors.is_empty() {
            return Ok(());
        }
        let mut pipeline = redis::pipe();
        for author in &authors {
            pipeline.hget(user_key(*author), "total_connections");
        }
        let connections: Vec<Option<String>> = pipeline.query_async(&mut self.redis.clone()).await?;
        let known = connections.into_iter().map(|text| text.and_then(|text| text.parse().ok()));
        let mut authors: Vec<(Uuid, Option<i64>)> = authors.into_iter().zip(known).collect();
        // All replicas lock authors in one order, so that they cannot deadlock.
        authors.sort_unstable_by_key(|author| author.0);
        Ok(save_connections(&self.db, &authors).await?)
    }
}

/// Hides posts on moderation's request, until a moderator restores them, and publishes the completion; also for a post that was
/// deleted, hidden or restored before: otherwise moderation's case would stay open for ever.
pub fn post_delete_requested<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let requests: Vec<DeleteRequested> =
            events.iter().map(|e| serde_json::from_str(&e.message)).collect::<Result<_, _>>()?;
        Post::lock(tx, &requests.iter().map(|request| request.content_id).collect::<Vec<_>>()).await?;
        for request in requests {
            let AnalysedVersion { updated_at } = serde_json::from_str(request.raw_content.get())?;
            if let Some(post) = Post::hide(tx, request.content_id, request.reason.as_deref(), updated_at).await? {
                signals::hidden(tx, &post).await?;
                producers::post_delete_completed(tx, &PostOut::from(post)).await?;
            } else {
                producers::post_delete_completed(tx, &request.raw_content).await?;
            }
        }
        Ok(())
    })
}

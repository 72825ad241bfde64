//! Processes the events that posts depend on: counts interactions, and applies moderation's requests and decisions.
use std::collections::HashMap;

use chrono::Utc;
use futures::future::try_join_all;
use redis::AsyncCommands;
use serde::Deserialize;
use serde_json::value::RawValue;
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use super::producers;
use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event, Failure, Processor};
use crate::core::ground::redis::Redis;
use crate::items::models::Item;
use crate::media;
use crate::media::decisions::models::MediaDecision;
use crate::media::models::Media;
use crate::posts::authors::models::save_connections;
use crate::posts::decisions::DecidedVisibility;
use crate::posts::decisions::models::PostDecision;
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
    /// Whether it is a view by a user who has viewed the post a short while ago; the original does not say.
    #[serde(default)]
    repeated: bool,
}

impl Interaction {
    fn post_id(&self) -> serde_json::Result<Uuid> {
        self.post_id.or(self.id).ok_or_else(|| serde::de::Error::missing_field("post_id"))
    }
}

#[derive(Deserialize)]
struct DeleteRequested {
    content_id: Uuid,
    /// The post as moderation saw it.
    raw_content: Box<RawValue>,
    reason: Option<String>,
    /// The version of the decision that it goes with; the original's requests have none.
    decision_version: Option<i64>,
}

/// The version of a post that moderation saw.
#[derive(Deserialize)]
struct AnalysedVersion {
    updated_at: Option<Timestamp>,
}

fn read_interaction(event: &Event) -> serde_json::Result<Interaction> {
    serde_json::from_str(&event.message)
}

/// Counts interactions with posts. It first reads the authors' numbers of connections, since popularity depends on both.
pub struct InteractionCounter {
    pub db: PgPool,
    pub redis: Redis,
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
                let made = read_interaction(event)?;
                let repeated_views = if made.repeated { self.delta.views } else { 0 };
                *deltas.entry(made.post_id()?).or_default() += Delta { repeated_views, ..self.delta };
            }
            Ok(signals::counted(tx, &deltas).await?)
        })
    }
}

impl InteractionCounter {
    async fn refresh_authors(&self, events: &[Event]) -> Result<(), Failure> {
        // An event that cannot be read is skipped here; `apply` reports it.
        let posts: Vec<_> = events.iter().filter_map(|event| read_interaction(event).ok()?.post_id().ok()).collect();
        let authors = Post::authors(&self.db, &posts).await?;
        if authors.is_empty() {
            return Ok(());
        }
        // Each by itself, and all at once on one connection: their hashes are in many slots, which no pipeline spans in a cluster.
        let connections = try_join_all(authors.iter().map(|author| {
            let (mut redis, key) = (self.redis.clone(), user_key(*author));
            async move { redis.hget::<_, _, Option<String>>(key, "total_connections").await }
        }));
        let known = connections.await?.into_iter().map(|text| text.and_then(|text| text.parse().ok()));
        let mut authors: Vec<(Uuid, Option<i64>)> = authors.into_iter().zip(known).collect();
        // All replicas lock authors in one order, so that they cannot deadlock.
        authors.sort_unstable_by_key(|author| author.0);
        Ok(save_connections(&self.db, &authors).await?)
    }
}

/// Hides posts on moderation's request, until they are restored, and publishes the completion; also for a post that was deleted,
/// hidden or restored before: otherwise moderation's case would stay open for ever.
pub fn post_delete_requested<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let requests: Vec<DeleteRequested> =
            events.iter().map(|e| serde_json::from_str(&e.message)).collect::<Result<_, _>>()?;
        Post::lock(tx, &requests.iter().map(|request| request.content_id).collect::<Vec<_>>()).await?;
        for request in requests {
            if let Some(post) = hide_requested(tx, &request).await? {
                producers::post_delete_completed(tx, &PostOut::from(post)).await?;
            } else {
                producers::post_delete_completed(tx, &request.raw_content).await?;
            }
        }
        Ok(())
    })
}

/// Hides a post on a request: by the version of the decision that it goes with, or, where the moderation service makes no
/// decisions, unless a moderator has restored what was analysed. Returns the post when it is hidden now.
async fn hide_requested(tx: &mut PgTransaction<'_>, request: &DeleteRequested) -> Result<Option<Post>, Failure> {
    if let Some(version) = request.decision_version {
        let decision = PostDecision {
            post_id: request.content_id,
            version,
            is_request: true,
            visibility: DecidedVisibility::Hidden,
            was_hidden: false,
            labels: None,
            locked: None,
            reason: request.reason.clone(),
        };
        return Ok(signals::decided(tx, &decision).await?);
    }
    let AnalysedVersion { updated_at } = serde_json::from_str(request.raw_content.get())?;
    let analysed = updated_at.unwrap_or(Timestamp(Utc::now()));
    let post = Post::hide(tx, request.content_id, request.reason.as_deref(), Some(analysed)).await?;
    if let Some(post) = &post {
        signals::hidden(tx, post).await?;
    }
    Ok(post)
}

/// What a decision is about.
#[derive(Deserialize)]
struct DecidedSubject {
    subject_type: String,
}

#[derive(Deserialize)]
struct ModerationDecided {
    subject_id: Uuid,
    version: i64,
    visibility: DecidedVisibility,
    previous_visibility: Option<DecidedVisibility>,
    #[serde(default)]
    labels: Vec<String>,
    /// Moderation of before there were locks does not say.
    locked: Option<bool>,
    /// None where a decision has ended, and no other took its place.
    decision: Option<DecisionSummary>,
}

#[derive(Deserialize)]
struct DecisionSummary {
    contract_reason: Option<String>,
}

/// Reads a decision about a post; none when it is about something else.
fn read_decision(event: &Event) -> serde_json::Result<Option<PostDecision>> {
    let DecidedSubject { subject_type } = serde_json::from_str(&event.message)?;
    if subject_type != "POST" {
        return Ok(None);
    }
    let decided: ModerationDecided = serde_json::from_str(&event.message)?;
    Ok(Some(PostDecision {
        post_id: decided.subject_id,
        version: decided.version,
        is_request: false,
        visibility: decided.visibility,
        was_hidden: decided.previous_visibility.is_some_and(DecidedVisibility::hides),
        labels: Some(decided.labels),
        locked: decided.locked,
        reason: decided.decision.and_then(|decision| decision.contract_reason),
    }))
}

/// Reads a decision about a picture; none when it is about something else.
fn read_media_decision(event: &Event) -> serde_json::Result<Option<MediaDecision>> {
    let DecidedSubject { subject_type } = serde_json::from_str(&event.message)?;
    if subject_type != "MEDIA" {
        return Ok(None);
    }
    let ModerationDecided { subject_id, version, visibility, .. } = serde_json::from_str(&event.message)?;
    let removes = visibility == DecidedVisibility::Removed;
    Ok(Some(MediaDecision { media_id: subject_id, version, hides: visibility.hides(), removes }))
}

/// Applies decisions of moderation about pictures and posts: hides, restores and deletes them, and saves their labels. All of them are
/// locked before the first changes: posts, then the items of which a restored one may say something else, then pictures, as where an
/// author changes a post. What is deleted is deleted at once.
pub fn moderation_decided<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let decisions: Vec<PostDecision> =
            events.iter().filter_map(|event| read_decision(event).transpose()).collect::<Result<_, _>>()?;
        let about_media: Vec<MediaDecision> =
            events.iter().filter_map(|event| read_media_decision(event).transpose()).collect::<Result<_, _>>()?;
        let posts: Vec<Uuid> = decisions.iter().map(|decision| decision.post_id).collect();
        Post::lock(tx, &posts).await?;
        Item::lock_of_posts(tx, &posts).await?;
        let removed = decisions.iter().filter(|decision| decision.visibility == DecidedVisibility::Removed);
        let removed: Vec<Uuid> = removed.map(|decision| decision.post_id).collect();
        let media: Vec<Uuid> = about_media.iter().map(|decision| decision.media_id).collect();
        Media::lock_with_posts(tx, &media, &removed).await?;
        for decision in &decisions {
            signals::decided(tx, decision).await?;
        }
        let removed_media = media::decisions::signals::decided(tx, &about_media).await?;
        media::signals::removed(tx, &removed, &removed_media).await?;
        Ok(())
    })
}

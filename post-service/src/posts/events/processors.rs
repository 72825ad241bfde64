//! What the post service does when it hears of something.
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::producers;
use crate::core::App;
use crate::core::events::{Effect, Event, Failure};
use crate::posts::models::{Delta, Post, save_connections};
use crate::posts::schemas::PostOut;
use crate::posts::signals;

/// The key of the hash in which the auth service keeps what others may know of a person.
fn user_key(user: Uuid) -> String {
    format!(":apps.core.models.UserDetailInfo:{user}")
}

/// A view: the post as it was seen.
#[derive(Deserialize)]
struct PostViewed {
    id: Uuid,
}

/// A comment or a reaction.
#[derive(Deserialize)]
struct Interaction {
    post_id: Uuid,
}

#[derive(Deserialize)]
struct DeleteRequested {
    content_id: Uuid,
    /// The post as moderation saw it.
    raw_content: Box<RawValue>,
}

/// Which post each event is about, whatever kind of event it is.
fn posts(events: &[Event]) -> Vec<Uuid> {
    let of = |event: &Event| {
        let interaction = serde_json::from_str::<Interaction>(&event.message).map(|about| about.post_id);
        interaction.or_else(|_| serde_json::from_str::<PostViewed>(&event.message).map(|about| about.id))
    };
    // What cannot be read is no post of ours; the processor will say so.
    events.iter().filter_map(|event| of(event).ok()).collect()
}

/// Looks up how many connections the authors of the posts have, before their popularity is calculated.
pub fn refresh_authors<'a>(app: &'a App, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let authors = Post::authors(&app.db, &posts(events)).await?;
        let mut redis = app.redis.clone();
        let mut ask = redis::pipe();
        for author in &authors {
            ask.hget(user_key(*author), "total_connections");
        }
        if authors.is_empty() {
            return Ok(());
        }
        let connections: Vec<Option<String>> = ask.query_async(&mut redis).await?;
        let known = connections.into_iter().map(|text| text.and_then(|text| text.parse().ok()));
        let mut authors: Vec<(Uuid, Option<i64>)> = authors.into_iter().zip(known).collect();
        // One order of locks for all that do this at once.
        authors.sort_unstable_by_key(|author| author.0);
        Ok(save_connections(&app.db, &authors).await?)
    })
}

/// Adds up what a batch changes per post, and applies it in one statement.
async fn count(tx: &mut PgTransaction<'_>, posts: impl Iterator<Item = Uuid>, delta: Delta) -> Result<(), Failure> {
    let mut deltas: HashMap<Uuid, Delta> = HashMap::new();
    for post in posts {
        *deltas.entry(post).or_default() += delta;
    }
    Ok(signals::counted(tx, &deltas).await?)
}

/// Posts were viewed: each view counts as `delta`, whoever's it is.
pub fn viewed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event], delta: Delta) -> Effect<'a> {
    Box::pin(async move {
        let views: Vec<PostViewed> =
            events.iter().map(|e| serde_json::from_str(&e.message)).collect::<Result<_, _>>()?;
        count(tx, views.iter().map(|view| view.id), delta).await
    })
}

/// Comments or reactions came or went: each counts as `delta`.
pub fn interacted<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event], delta: Delta) -> Effect<'a> {
    Box::pin(async move {
        let interactions: Vec<Interaction> =
            events.iter().map(|e| serde_json::from_str(&e.message)).collect::<Result<_, _>>()?;
        count(tx, interactions.iter().map(|about| about.post_id), delta).await
    })
}

/// Moderation wants a post gone: it is deleted, and said to be. When its author was faster, it is gone all the same, and
/// that is said too, or the case would stay open for ever.
pub fn post_delete_requested<'a>(_: &'a App, tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let requests: Vec<DeleteRequested> =
            events.iter().map(|e| serde_json::from_str(&e.message)).collect::<Result<_, _>>()?;
        Post::lock(tx, &requests.iter().map(|request| request.content_id).collect::<Vec<_>>()).await?;
        for request in requests {
            if let Some(post) = Post::delete(tx, request.content_id, None).await? {
                signals::deleted(tx, &post).await?;
                producers::post_delete_completed(tx, &PostOut::from(post)).await?;
            } else {
                producers::post_delete_completed(tx, &request.raw_content).await?;
            }
        }
        Ok(())
    })
}

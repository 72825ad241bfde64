//! What the engagement service does when it hears of something.
use std::collections::BTreeSet;

use chrono::{NaiveDate, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event, Failure};
use crate::profiles::Kind;
use crate::profiles::models::{Changes, Post};
use crate::profiles::signals;

/// Somebody who signed up.
#[derive(Deserialize)]
struct UserRegistered {
    id: Uuid,
}

/// A post as its author left it.
#[derive(Deserialize)]
struct PostWritten {
    id: Uuid,
    created_at: Timestamp,
    created_by: Uuid,
    updated_at: Timestamp,
    types: Vec<String>,
}

/// A view: of the post only who saw it matters here.
#[derive(Deserialize)]
struct PostViewed {
    viewed_by: Uuid,
}

/// A comment or a reaction.
#[derive(Deserialize)]
struct Interaction {
    created_at: Timestamp,
    created_by: Uuid,
}

fn decode<T: DeserializeOwned>(events: &[Event]) -> Result<Vec<T>, serde_json::Error> {
    events.iter().map(|event| serde_json::from_str(&event.message)).collect()
}

fn today() -> NaiveDate {
    Utc::now().date_naive()
}

/// Everybody who signs up has a profile, however many do so at once.
pub fn user_registered<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let users: BTreeSet<Uuid> = decode::<UserRegistered>(events)?.iter().map(|user| user.id).collect();
        Ok(signals::registered(tx, &users).await?)
    })
}

/// A post exists, and is about something. Whether it was just created or changed makes no difference: either may come
/// first, and the newer one holds.
pub fn post_written<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move { Ok(signals::posts_changed(tx, posts(events, false)?, today()).await?) })
}

/// A post does not exist any more.
pub fn post_deleted<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move { Ok(signals::posts_changed(tx, posts(events, true)?, today()).await?) })
}

fn posts(events: &[Event], deleted: bool) -> Result<Vec<Post>, serde_json::Error> {
    let post = |post: PostWritten| Post {
        id: post.id,
        user_id: post.created_by,
        day: post.created_at.0.date_naive(),
        types: (!deleted).then_some(post.types),
        version: post.updated_at.0,
    };
    Ok(decode(events)?.into_iter().map(post).collect())
}

/// A view counts for who saw the post, whoever's it is.
pub fn post_viewed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let mut changes = Changes::default();
        for (event, view) in events.iter().zip(decode::<PostViewed>(events)?) {
            changes.act(view.viewed_by, Kind::View, event.occurred_at.date_naive(), 1);
        }
        Ok(signals::acted(tx, changes, today()).await?)
    })
}

/// One comment more.
pub fn comment_created<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(interacted(tx, events, Kind::Comment, 1))
}

/// One comment less, on the day on which it was written.
pub fn comment_deleted<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(interacted(tx, events, Kind::Comment, -1))
}

/// One reaction more.
pub fn reaction_created<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(interacted(tx, events, Kind::Reaction, 1))
}

/// One reaction less, on the day on which it was given.
pub fn reaction_deleted<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(interacted(tx, events, Kind::Reaction, -1))
}

async fn interacted(tx: &mut PgTransaction<'static>, events: &[Event], kind: Kind, times: i64) -> Result<(), Failure> {
    let mut changes = Changes::default();
    for made in decode::<Interaction>(events)? {
        changes.act(made.created_by, kind, made.created_at.0.date_naive(), times);
    }
    Ok(signals::acted(tx, changes, today()).await?)
}

/// Nothing on a profile depends on it. The contract has the group as a reader of the stream, and a stream is trimmed only
/// as far as all of its readers are: so it is read, and no more.
pub fn nothing_counted<'a>(_: &'a mut PgTransaction<'static>, _: &'a [Event]) -> Effect<'a> {
    Box::pin(async { Ok(()) })
}

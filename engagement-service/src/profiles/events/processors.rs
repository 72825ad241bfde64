//! Counts the activity of users from events.
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

/// A user who signed up.
#[derive(Deserialize)]
struct UserRegistered {
    id: Uuid,
}

/// A version of a post.
#[derive(Deserialize)]
struct PostVersion {
    id: Uuid,
    created_at: Timestamp,
    created_by: Uuid,
    updated_at: Timestamp,
    types: Vec<String>,
    /// Since when moderation has it hidden. A deletion that has it is not for good: the post can come back.
    hidden_at: Option<Timestamp>,
}

/// A view of a post, with its viewer.
#[derive(Deserialize)]
struct PostViewed {
    viewed_by: Uuid,
    /// Whether they have viewed it a short while ago; the original does not say.
    #[serde(default)]
    repeated: bool,
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

/// Creates the profile of each user who signed up.
pub fn user_registered<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let users: BTreeSet<Uuid> = decode::<UserRegistered>(events)?.iter().map(|user| user.id).collect();
        Ok(signals::registered(tx, &users).await?)
    })
}

/// Counts a post and its categories. Creation and change are processed alike: either may be consumed first, and the newer
/// version counts.
pub fn post_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move { Ok(signals::posts_changed(tx, read_posts(events, false)?, today()).await?) })
}

/// Removes a deleted post from the sums of its author. A hidden one stays in them: it is still theirs, and can come back.
pub fn post_deleted<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move { Ok(signals::posts_changed(tx, read_posts(events, true)?, today()).await?) })
}

fn read_posts(events: &[Event], deleted: bool) -> Result<Vec<Post>, serde_json::Error> {
    let post = |post: PostVersion| Post {
        id: post.id,
        user_id: post.created_by,
        day: post.created_at.0.date_naive(),
        types: (!deleted).then_some(post.types),
        version: post.updated_at.0,
    };
    let posts: Vec<PostVersion> = decode(events)?;
    Ok(posts.into_iter().filter(|version| version.hidden_at.is_none()).map(post).collect())
}

/// Counts a view for the viewer, also of their own post. A repeated one is in their total alone, so that reloading a page raises no score.
pub fn post_viewed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let mut changes = Changes::default();
        for (event, view) in events.iter().zip(decode::<PostViewed>(events)?) {
            if view.repeated {
                changes.add_repeated_view(view.viewed_by);
            } else {
                changes.add_activity(view.viewed_by, Kind::View, event.occurred_at.date_naive(), 1);
            }
        }
        Ok(signals::acted(tx, changes, today()).await?)
    })
}

/// Counts a comment.
pub fn comment_created<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(count_interactions(tx, events, Kind::Comment, 1))
}

/// Takes a comment away from the day on which it was created.
pub fn comment_deleted<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(count_interactions(tx, events, Kind::Comment, -1))
}

/// Counts a reaction.
pub fn reaction_created<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(count_interactions(tx, events, Kind::Reaction, 1))
}

/// Takes a reaction away from the day on which it was created.
pub fn reaction_deleted<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(count_interactions(tx, events, Kind::Reaction, -1))
}

async fn count_interactions(
    tx: &mut PgTransaction<'static>,
    events: &[Event],
    kind: Kind,
    times: i64,
) -> Result<(), Failure> {
    let mut changes = Changes::default();
    for made in decode::<Interaction>(events)? {
        changes.add_activity(made.created_by, kind, made.created_at.0.date_naive(), times);
    }
    Ok(signals::acted(tx, changes, today()).await?)
}

/// Consumes an event that changes no profile. The contract has the group as a consumer of the stream, and a stream is trimmed
/// only as far as all of its groups have read.
pub fn ignore<'a>(_: &'a mut PgTransaction<'static>, _: &'a [Event]) -> Effect<'a> {
    Box::pin(async { Ok(()) })
}

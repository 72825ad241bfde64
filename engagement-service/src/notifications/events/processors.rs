//! Brings notifications up to date with the read model, for what an event touched.
use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use sqlx::PgTransaction;
use uuid::{Builder, Uuid};

use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event};
use crate::notifications::Type;
use crate::notifications::causes::{Pair, PostActor};
use crate::notifications::models::Announcement;
use crate::notifications::signals;
use crate::profiles::Level;

fn read<T: DeserializeOwned>(events: &[Event]) -> Result<Vec<T>, serde_json::Error> {
    events.iter().map(|event| serde_json::from_str(&event.message)).collect()
}

/// A connection or a block that began or ended.
#[derive(Deserialize)]
struct LinkEvent {
    user_id: Uuid,
    target_id: Uuid,
}

/// Brings groups of connections up to date.
pub fn connections_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let pair = |link: LinkEvent| Pair { user_id: link.target_id, actor_id: link.user_id };
        let pairs: BTreeSet<Pair> = read(events)?.into_iter().map(pair).collect();
        Ok(signals::connections_changed(tx, &pairs.into_iter().collect::<Vec<_>>()).await?)
    })
}

/// Takes two people out of each other's notifications, or back into them.
pub fn blocks_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let both = |link: LinkEvent| {
            let LinkEvent { user_id, target_id } = link;
            [Pair { user_id, actor_id: target_id }, Pair { user_id: target_id, actor_id: user_id }]
        };
        let pairs: BTreeSet<Pair> = read(events)?.into_iter().flat_map(both).collect();
        Ok(signals::pairs_changed(tx, &pairs.into_iter().collect::<Vec<_>>()).await?)
    })
}

/// A version of a post.
#[derive(Deserialize)]
struct PostEvent {
    id: Uuid,
}

/// Withholds the notifications of posts that are not to be seen, and shows those of others.
pub fn posts_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let posts: BTreeSet<Uuid> = read(events)?.into_iter().map(|post: PostEvent| post.id).collect();
        Ok(signals::posts_changed(tx, &posts.into_iter().collect::<Vec<_>>()).await?)
    })
}

/// A version of a reaction or a comment.
#[derive(Deserialize)]
struct InteractionEvent {
    post_id: Uuid,
    created_by: Uuid,
}

/// Brings the groups of posts up to date.
pub fn interactions_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let interaction = |made: InteractionEvent| PostActor { post_id: made.post_id, actor_id: made.created_by };
        let interactions: BTreeSet<PostActor> = read(events)?.into_iter().map(interaction).collect();
        Ok(signals::interactions_changed(tx, &interactions.into_iter().collect::<Vec<_>>()).await?)
    })
}

/// A version of a comment.
#[derive(Deserialize)]
struct CommentEvent {
    id: Uuid,
    post_id: Uuid,
    created_by: Uuid,
}

/// Brings the groups of posts up to date, with those of the users that replied or reacted to the comments: a hidden comment is no
/// reason for a notification of that, and a restored one is again.
pub fn comments_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let comments: Vec<CommentEvent> = read(events)?;
        let ids: Vec<Uuid> = comments.iter().map(|comment| comment.id).collect();
        let interaction = |said: CommentEvent| PostActor { post_id: said.post_id, actor_id: said.created_by };
        let interactions: BTreeSet<PostActor> = comments.into_iter().map(interaction).collect();
        Ok(signals::comments_changed(tx, &ids, interactions).await?)
    })
}

/// A user's new level.
#[derive(Deserialize)]
struct LevelEvent {
    user_id: Uuid,
    previous: Level,
    status: Level,
}

/// Notifies users of their new levels, once per event.
pub fn levels_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let announcement = |event: &Event| {
            let LevelEvent { user_id, previous, status } = serde_json::from_str(&event.message)?;
            let (subject_id, at) = (identity(event), Timestamp(event.occurred_at));
            Ok(Announcement { user_id, subject_id, at, levels: Some((previous, status)) })
        };
        let all: Vec<_> = events.iter().map(announcement).collect::<Result<_, serde_json::Error>>()?;
        Ok(signals::announced(tx, Type::ProfileActivity, &all).await?)
    })
}

/// What an event is recognised by: its own id, or, of one that has none, its place in the stream and what it says.
fn identity(event: &Event) -> Uuid {
    event.event_id.unwrap_or_else(|| {
        let digest: [u8; 32] = Sha256::digest(format!("{} {}", event.id, event.message)).into();
        let (bytes, _) = digest.split_first_chunk().unwrap_or((&[0; 16], &[]));
        Builder::from_custom_bytes(*bytes).into_uuid()
    })
}

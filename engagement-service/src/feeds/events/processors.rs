//! Writes the jobs that bring feeds in line with connections, blocks and posts.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::events::{Effect, Event};
use crate::feeds::drops::models::FeedDrop;
use crate::feeds::fan_out::models::FanOut;

/// The two users of a connection or a block.
#[derive(Deserialize)]
struct UserPair {
    user_id: Uuid,
    target_id: Uuid,
}

/// A post of which something has changed.
#[derive(Deserialize)]
struct ChangedPost {
    id: Uuid,
}

/// Drops the feeds of those whose connections have changed.
pub fn connections_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let pairs: Vec<UserPair> =
            events.iter().map(|event| serde_json::from_str(&event.message)).collect::<Result<_, _>>()?;
        Ok(FeedDrop::create(tx, &pairs.iter().map(|pair| pair.user_id).collect::<Vec<_>>()).await?)
    })
}

/// Drops the feeds of both users of a block.
pub fn blocks_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let pairs: Vec<UserPair> =
            events.iter().map(|event| serde_json::from_str(&event.message)).collect::<Result<_, _>>()?;
        let users: Vec<Uuid> = pairs.iter().flat_map(|pair| [pair.user_id, pair.target_id]).collect();
        Ok(FeedDrop::create(tx, &users).await?)
    })
}

/// Has posts brought into feeds or out of them.
pub fn posts_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let posts: Vec<ChangedPost> =
            events.iter().map(|event| serde_json::from_str(&event.message)).collect::<Result<_, _>>()?;
        Ok(FanOut::create(tx, &posts.iter().map(|post| post.id).collect::<Vec<_>>()).await?)
    })
}

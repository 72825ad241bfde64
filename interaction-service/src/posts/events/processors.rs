//! What the interaction service does when it hears of a post.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event};
use crate::posts::models::Post;
use crate::posts::{Status, signals};

/// A post, as far as it matters here.
#[derive(Deserialize)]
struct PostTold {
    id: Uuid,
    created_by: Uuid,
    status: Status,
    updated_at: Timestamp,
}

fn posts(events: &[Event]) -> Result<Vec<Post>, serde_json::Error> {
    let post = |event: &Event| {
        let PostTold { id, created_by, status, updated_at } = serde_json::from_str(&event.message)?;
        Ok(Post { id, created_by, status, updated_at })
    };
    events.iter().map(post).collect()
}

/// A post was written or changed: who may see it is noted.
pub fn post_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move { Ok(Post::save(&mut **tx, &posts(events)?).await?) })
}

/// A post is gone, and with it all that was said about it.
pub fn post_deleted<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let gone = Post::bury(tx, &posts(events)?).await?;
        Ok(signals::deleted(tx, &gone).await?)
    })
}

//! Stores versions of posts, and has what belongs to deleted ones deleted.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event};
use crate::posts::models::Post;
use crate::posts::{Commenters, Status};
use crate::removals::models::Removal;

/// The fields of a post's event that this service needs.
#[derive(Deserialize)]
struct PostVersion {
    id: Uuid,
    created_by: Uuid,
    status: Status,
    updated_at: Timestamp,
    /// Since when moderation has it hidden. A deletion that has it is not for good: the post can come back.
    hidden_at: Option<Timestamp>,
    /// Who may comment; an event without it is of a post on which all may.
    #[serde(default)]
    comments: Commenters,
}

fn read_posts(events: &[Event]) -> Result<Vec<Post>, serde_json::Error> {
    let post = |event: &Event| {
        let PostVersion { id, created_by, status, updated_at, hidden_at, comments } =
            serde_json::from_str(&event.message)?;
        Ok(Post { id, created_by, status, updated_at, hidden: hidden_at.is_some(), comments })
    };
    events.iter().map(post).collect()
}

/// Saves who may see a post that was created or changed.
pub fn post_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move { Ok(Post::save(&mut **tx, &read_posts(events)?).await?) })
}

/// Has what belongs to a deleted post deleted, page by page: its comments, reactions and bookmarks, which no user sees from now on. Those
/// of a hidden one stay, and no user sees them either.
pub fn post_deleted<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let (hidden, deleted): (Vec<Post>, Vec<Post>) = read_posts(events)?.into_iter().partition(|post| post.hidden);
        Post::save(&mut **tx, &hidden).await?;
        let deleted = Post::save_tombstones(tx, &deleted).await?;
        Ok(Removal::begin_posts(tx, &deleted).await?)
    })
}

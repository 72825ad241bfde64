//! Stores versions of comments.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::comments::models::CommentCard;
use crate::comments::signals;
use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event, Failure};
use crate::posts::{FacetCard, mentioned};

/// A version of a comment.
#[derive(Deserialize)]
struct CommentSnapshot {
    id: Uuid,
    created_at: Timestamp,
    created_by: Uuid,
    updated_at: Timestamp,
    post_id: Uuid,
    /// Since when moderation has it hidden. A deletion that has it is not for good: the comment can come back.
    hidden_at: Option<Timestamp>,
    /// Absent where there are none.
    #[serde(default)]
    facets: Vec<FacetCard>,
    /// Absent where it is no reply.
    reply_to: Option<Uuid>,
}

/// Saves a comment that was written, changed or restored.
pub fn comment_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(save(tx, events, false))
}

/// Saves that a comment was deleted or hidden.
pub fn comment_deleted<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(save(tx, events, true))
}

async fn save(tx: &mut PgTransaction<'static>, events: &[Event], deleted: bool) -> Result<(), Failure> {
    let comment = |event: &Event| {
        let comment: CommentSnapshot = serde_json::from_str(&event.message)?;
        let hidden = comment.hidden_at.is_some();
        Ok(CommentCard {
            id: comment.id,
            post_id: comment.post_id,
            user_id: comment.created_by,
            created_at: comment.created_at,
            version: comment.updated_at,
            hidden,
            deleted: deleted && !hidden,
            mentions: Some(mentioned(&comment.facets)),
            reply_to: comment.reply_to,
        })
    };
    let comments: Vec<CommentCard> = events.iter().map(comment).collect::<Result<_, serde_json::Error>>()?;
    Ok(signals::changed(tx, comments).await?)
}

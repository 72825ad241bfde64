//! Stores versions of reactions to comments.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::comment_reactions::models::CommentReactionCard;
use crate::comment_reactions::signals;
use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event, Failure};

/// A version of a reaction to a comment.
#[derive(Deserialize)]
struct CommentReactionSnapshot {
    id: Uuid,
    created_at: Timestamp,
    created_by: Uuid,
    updated_at: Timestamp,
    comment_id: Uuid,
    post_id: Uuid,
}

/// Saves a reaction that was made or changed.
pub fn comment_reaction_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(save(tx, events, false))
}

/// Saves that a reaction was taken back.
pub fn comment_reaction_deleted<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(save(tx, events, true))
}

async fn save(tx: &mut PgTransaction<'static>, events: &[Event], deleted: bool) -> Result<(), Failure> {
    let reaction = |event: &Event| {
        let reaction: CommentReactionSnapshot = serde_json::from_str(&event.message)?;
        Ok(CommentReactionCard {
            id: reaction.id,
            comment_id: reaction.comment_id,
            post_id: reaction.post_id,
            user_id: reaction.created_by,
            created_at: reaction.created_at,
            version: reaction.updated_at,
            deleted,
        })
    };
    let reactions: Vec<CommentReactionCard> = events.iter().map(reaction).collect::<Result<_, serde_json::Error>>()?;
    Ok(signals::changed(tx, reactions).await?)
}

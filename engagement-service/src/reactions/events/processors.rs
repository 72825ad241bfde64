//! Stores versions of reactions.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event, Failure};
use crate::reactions::models::ReactionCard;
use crate::reactions::signals;

/// A version of a reaction.
#[derive(Deserialize)]
struct ReactionSnapshot {
    id: Uuid,
    created_at: Timestamp,
    created_by: Uuid,
    updated_at: Timestamp,
    post_id: Uuid,
    r#type: String,
}

/// Saves a reaction that was made or changed.
pub fn reaction_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(save(tx, events, false))
}

/// Saves that a reaction was taken back.
pub fn reaction_deleted<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(save(tx, events, true))
}

async fn save(tx: &mut PgTransaction<'static>, events: &[Event], deleted: bool) -> Result<(), Failure> {
    let reaction = |event: &Event| {
        let reaction: ReactionSnapshot = serde_json::from_str(&event.message)?;
        Ok(ReactionCard {
            id: reaction.id,
            post_id: reaction.post_id,
            user_id: reaction.created_by,
            r#type: reaction.r#type,
            created_at: reaction.created_at,
            version: reaction.updated_at,
            deleted,
        })
    };
    let reactions: Vec<ReactionCard> = events.iter().map(reaction).collect::<Result<_, serde_json::Error>>()?;
    Ok(signals::changed(tx, reactions).await?)
}

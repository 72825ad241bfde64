//! The events of blocks that the service consumes, and what it does on each.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::{Block, save_blocks};
use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event, Failure, Subscription};

pub const USER_BLOCKED: &str = "user_blocked";
pub const USER_UNBLOCKED: &str = "user_unblocked";

/// The streams, and what processes their events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![Subscription::new(USER_BLOCKED, user_blocked), Subscription::new(USER_UNBLOCKED, user_unblocked)]
}

/// The beginning or the end of a block of `target_id` by `user_id`.
#[derive(Deserialize)]
struct BlockChanged {
    user_id: Uuid,
    target_id: Uuid,
    at: Timestamp,
}

async fn save_changes(tx: &mut PgTransaction<'static>, events: &[Event], active: bool) -> Result<(), Failure> {
    let block = |event: &Event| {
        let BlockChanged { user_id, target_id, at } = serde_json::from_str(&event.message)?;
        Ok(Block { user_id, target_id, active, at })
    };
    let blocks: Vec<Block> = events.iter().map(block).collect::<Result<_, serde_json::Error>>()?;
    Ok(save_blocks(tx, &blocks).await?)
}

/// Hides the content of the two users from each other.
fn user_blocked<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(save_changes(tx, events, true))
}

/// Shows the content of the two users to each other again.
fn user_unblocked<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(save_changes(tx, events, false))
}

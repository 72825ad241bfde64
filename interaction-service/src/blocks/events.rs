//! The events about blocks that are consumed, and what they do.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::{Block, save_blocks};
use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event, Failure, Subscription};

pub const USER_BLOCKED: &str = "user_blocked";
pub const USER_UNBLOCKED: &str = "user_unblocked";

/// Which event goes where.
pub fn subscriptions() -> Vec<Subscription> {
    vec![Subscription::new(USER_BLOCKED, user_blocked), Subscription::new(USER_UNBLOCKED, user_unblocked)]
}

/// A person and whom they blocked, or do not block any more.
#[derive(Deserialize)]
struct BlockChanged {
    user_id: Uuid,
    target_id: Uuid,
    at: Timestamp,
}

async fn save(tx: &mut PgTransaction<'static>, events: &[Event], stands: bool) -> Result<(), Failure> {
    let block = |event: &Event| {
        let BlockChanged { user_id, target_id, at } = serde_json::from_str(&event.message)?;
        Ok(Block { user_id, target_id, stands, at })
    };
    let blocks: Vec<Block> = events.iter().map(block).collect::<Result<_, serde_json::Error>>()?;
    Ok(save_blocks(tx, &blocks).await?)
}

/// The two do not see each other any more.
fn user_blocked<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(save(tx, events, true))
}

/// The two see each other again.
fn user_unblocked<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(save(tx, events, false))
}

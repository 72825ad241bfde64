//! Blocks in the API and in events.
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::models::Block;
use crate::connections::schemas::PairEvent;
use crate::core::contract::timestamp::Timestamp;
use crate::profiles::models::Profile;
use crate::profiles::schemas::ProfileOut;

/// A user that the caller has blocked
#[derive(Serialize, ToSchema)]
pub struct BlockOut {
    #[serde(flatten)]
    pub profile: ProfileOut,
    pub blocked_at: Timestamp,
}

impl BlockOut {
    /// The list as its owner sees it, on that day; both of the same people in the same order.
    pub fn list(blocks: &[Block], profiles: &[Profile], today: NaiveDate) -> Vec<Self> {
        let shown = |(block, profile): (&Block, &Profile)| Self {
            profile: ProfileOut::new(profile, block.user_id, today),
            blocked_at: block.at,
        };
        blocks.iter().zip(profiles).map(shown).collect()
    }
}

impl From<Block> for PairEvent {
    fn from(block: Block) -> Self {
        Self { user_id: block.user_id, target_id: block.target_id, at: block.at }
    }
}

//! The worker that asks which comments were hidden before it was noted.
use std::sync::Arc;
use std::time::Duration;

use super::models::HiddenCommentCheck;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};
use crate::nfts::state::Nfts;

/// Comments of a step, each of which is a call of the interaction service.
const COMMENTS: i64 = 20;
/// The pause between two steps, so that the interaction service hardly notices.
const PACE: Duration = Duration::from_millis(100);
/// How often it is looked at again when all were asked about.
const REST: Duration = Duration::from_hours(1);

/// Asks the interaction service about the comments of NFTs from before, and goes on where it was when the service stopped. Replicas may ask
/// about the same ones, which changes nothing. It runs where minting is off as well: what was minted before is shown.
pub struct HiddenCommentChecker {
    pub app: App,
    pub nfts: Arc<Nfts>,
}

impl Worker for HiddenCommentChecker {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        if HiddenCommentCheck::is_done(&self.app.db).await? {
            return Ok(Outcome::Idle(REST));
        }
        let uncertain = HiddenCommentCheck::list_next(&self.app.db, COMMENTS).await?;
        let mut hidden = Vec::new();
        for nft in &uncertain {
            // It names those alone that are not hidden; one that is gone is withdrawn by its event.
            if self.nfts.comments.fetch(nft.comment).await?.is_none() {
                hidden.push(nft.id);
            }
        }
        let mut tx = self.app.db.begin().await?;
        HiddenCommentCheck::save(&mut tx, &hidden, uncertain.last().map(|nft| nft.id)).await?;
        tx.commit().await?;
        Ok(Outcome::Idle(PACE))
    }
}

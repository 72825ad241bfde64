//! What follows from a decision about a picture, in the same transaction.
use sqlx::PgTransaction;

use super::models::MediaDecision;
use crate::core::doors::audit::{self, Entry};
use crate::media::{pictures, signals};

/// Moderation has decided about a picture. One that is hidden leaves posts and profiles; restored, it comes back to its posts, and
/// its owner chooses it as avatar again if they like.
pub async fn decided(tx: &mut PgTransaction<'_>, decision: &MediaDecision) -> sqlx::Result<()> {
    let media = [decision.media_id];
    signals::lock_posts(tx, &media).await?;
    if !decision.save(tx).await? {
        return Ok(());
    }
    if decision.removes {
        audit::record(&mut **tx, Entry { who: None, action: "media_deleted", target: None, result: "by moderation" })
            .await?;
        metrics::counter!("moderation_effects_total", "effect" => "media_removed").increment(1);
        return signals::deleted(tx, &media).await;
    }
    if decision.hides {
        pictures::signals::taken_off(tx, &media).await?;
    }
    let effect = if decision.hides { "media_hidden" } else { "media_restored" };
    metrics::counter!("moderation_effects_total", "effect" => effect).increment(1);
    signals::changed(tx, decision.media_id).await
}

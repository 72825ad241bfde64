//! What follows from decisions about pictures, in the same transaction.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::MediaDecision;
use crate::core::doors::audit::{self, Entry};
use crate::media::{pictures, signals};

/// Moderation has decided about pictures that this transaction has locked; those that it removes for good, which the caller deletes. One
/// that is hidden leaves posts and profiles; restored, it comes back to its posts, and its owner chooses it as avatar again if they
/// like.
pub async fn decided(tx: &mut PgTransaction<'_>, decisions: &[MediaDecision]) -> sqlx::Result<Vec<Uuid>> {
    let mut removed = Vec::new();
    for decision in decisions {
        if !decision.save(tx).await? {
            continue;
        }
        let media = [decision.media_id];
        if decision.removes {
            let entry = Entry { who: None, action: "media_deleted", target: None, result: "by moderation" };
            audit::record(&mut **tx, entry).await?;
            count("media_removed");
            removed.extend(media);
            continue;
        }
        if decision.hides {
            pictures::signals::taken_off(tx, &media).await?;
        }
        count(if decision.hides { "media_hidden" } else { "media_restored" });
        signals::changed(tx, &media).await?;
    }
    Ok(removed)
}

/// Counts what a decision has done.
fn count(effect: &'static str) {
    metrics::counter!("moderation_effects_total", "effect" => effect).increment(1);
}

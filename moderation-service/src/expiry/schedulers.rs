//! The worker of the timer.
use std::time::Duration;

use chrono::Utc;

use super::Removal;
use super::models::{due, is_removable, lag_seconds, next_due, removable};
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};
use crate::decisions::signals::expire;
use crate::ledger::NewEntry;
use crate::ledger::signals::record;
use crate::subjects::Visibility;
use crate::subjects::changes::{Actor, Change};
use crate::subjects::models::lock;
use crate::subjects::state::Subject;

/// The longest pause: a decision of another replica wakes this one no sooner.
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// How often it is measured how far the timer lags.
const LAG_INTERVAL: Duration = Duration::from_secs(15);

/// Ends decisions and removes hidden content, one at a time.
pub struct Timer {
    pub app: App,
    pub removal: Removal,
}

impl Timer {
    /// Ends the decision that is due longest; false when none is.
    async fn end_one(&self) -> anyhow::Result<bool> {
        let Some(decision) = due(&self.app.db).await? else { return Ok(false) };
        let mut tx = self.app.db.begin().await?;
        if expire(&mut tx, decision).await? {
            metrics::counter!("moderation_expired_total").increment(1);
        }
        self.app.commit(tx).await?;
        Ok(true)
    }

    /// Removes the content that has been hidden longest; false when none has been long enough.
    async fn remove_one(&self) -> anyhow::Result<bool> {
        let days = self.removal.remove_hidden_after_days;
        let Some((key, author)) = removable(&self.app.db, days).await? else { return Ok(false) };
        let mut tx = self.app.db.begin().await?;
        let subjects = lock(&mut tx, &[(key, author)]).await?;
        if is_removable(&mut tx, key, days).await?
            && let Some(decision) = subjects.first().and_then(hidden_by)
        {
            let entry = NewEntry::new(Actor::Timer, Change::Removed { decision });
            record(&mut tx, key, author, vec![entry]).await?;
            metrics::counter!("moderation_removed_total").increment(1);
        }
        self.app.commit(tx).await?;
        Ok(true)
    }
}

/// The decision that has hidden a subject first, of those in force without an end.
fn hidden_by(subject: &Subject) -> Option<uuid::Uuid> {
    let hides = subject.active.iter().map(|held| &held.ruling);
    let mut hides = hides.filter(|ruling| ruling.visibility == Some(Visibility::Hidden) && ruling.expires_at.is_none());
    hides.next().map(|ruling| ruling.decision)
}

/// Measures how far the timer lags, by itself: a timer that stands still measures nothing.
pub struct TimerLag(pub App);

impl Worker for TimerLag {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        metrics::gauge!("moderation_timer_lag_seconds").set(lag_seconds(&self.0.db).await?);
        Ok(Outcome::Idle(LAG_INTERVAL))
    }
}

impl Worker for Timer {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        if self.end_one().await? || self.remove_one().await? {
            return Ok(Outcome::Busy);
        }
        let next = next_due(&self.app.db).await?;
        let left = next.and_then(|next| (next.0 - Utc::now()).to_std().ok()).unwrap_or(MAX_PAUSE);
        Ok(Outcome::Idle(left.clamp(Duration::from_millis(50), MAX_PAUSE)))
    }
}

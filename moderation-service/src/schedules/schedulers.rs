//! The worker that makes scheduled decisions when they are due.
use std::time::Duration;

use anyhow::Context;
use chrono::Utc;
use uuid::Uuid;

use super::models::{due, moderator_to_ask_for, next_due, put_off};
use super::{ScheduleStatus, signals};
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};
use crate::scopes::models::AccountRight;
use crate::scopes::rights;
use crate::strikes::services::Ladder;

/// The longest pause: a decision that another replica has scheduled wakes this one no sooner.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Makes scheduled decisions, one in a step.
pub struct ScheduledDecider {
    pub app: App,
    pub ladder: Ladder,
}

impl Worker for ScheduledDecider {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let Some(id) = due(&self.app.db).await? else {
            let next = next_due(&self.app.db).await?;
            let left = next.and_then(|next| (next.0 - Utc::now()).to_std().ok()).unwrap_or(MAX_PAUSE);
            return Ok(Outcome::Idle(left.clamp(Duration::from_millis(50), MAX_PAUSE)));
        };
        match self.make(id).await {
            Ok(made) => {
                if let Some(status) = made {
                    let outcome = match status {
                        ScheduleStatus::Done => "done",
                        ScheduleStatus::Cancelled => "cancelled",
                        ScheduleStatus::Gone | ScheduleStatus::Waiting => "gone",
                    };
                    metrics::counter!("moderation_scheduled_total", "outcome" => outcome).increment(1);
                }
                Ok(Outcome::Busy)
            }
            Err(cause) => {
                put_off(&self.app.db, id).await?;
                metrics::counter!("moderation_scheduled_total", "outcome" => "failed").increment(1);
                Err(cause).with_context(|| format!("the scheduled decision {id} cannot be made, and is put off"))
            }
        }
    }
}

impl ScheduledDecider {
    /// Makes one, or lets it wait no more; what has become of it.
    async fn make(&self, id: Uuid) -> anyhow::Result<Option<ScheduleStatus>> {
        if let Some(moderator) = moderator_to_ask_for(&self.app.db, id).await? {
            let right = rights::fetch(&self.app, moderator).await;
            let right = right.context("the auth service could not be asked what its moderator may do")?;
            let mut tx = self.app.db.begin().await?;
            AccountRight::save(&mut tx, &[right]).await?;
            tx.commit().await?;
        }
        let mut tx = self.app.db.begin().await?;
        match signals::carry_out(&mut tx, &self.ladder, id).await {
            Ok(made) => {
                self.app.commit(tx).await?;
                Ok(made)
            }
            Err(cause) => {
                tx.rollback().await?;
                Err(cause.into())
            }
        }
    }
}

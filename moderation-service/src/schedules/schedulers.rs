//! The worker that makes scheduled decisions when they are due.
use std::time::Duration;

use anyhow::Context;
use chrono::Utc;

use super::models::{due, next_due, put_off};
use super::{ScheduleStatus, signals};
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};
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
        let mut tx = self.app.db.begin().await?;
        match signals::carry_out(&mut tx, &self.ladder, id).await {
            Ok(made) => {
                self.app.commit(tx).await?;
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
                tx.rollback().await?;
                put_off(&self.app.db, id).await?;
                metrics::counter!("moderation_scheduled_total", "outcome" => "failed").increment(1);
                Err(cause).with_context(|| format!("the scheduled decision {id} cannot be made, and is put off"))
            }
        }
    }
}

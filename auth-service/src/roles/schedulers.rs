//! Lifts mutes and bans whose time is up.
use super::models::{DecisionKind, lock_expired, set_status};
use super::signals;
use crate::core::App;
use crate::core::scheduler::Job;
use crate::users::Status;

/// When: every minute, so that a restriction lasts no longer than a minute too long.
const SCHEDULE: &str = "40 * * * * *";

/// Does it by the clock.
pub fn job() -> Job {
    Job { name: "restrictions", schedule: SCHEDULE.into(), run: |app| Box::pin(async move { lift(&app).await }) }
}

/// Lifts all that is over, each in a transaction of its own.
pub async fn lift(app: &App) -> anyhow::Result<()> {
    loop {
        let mut tx = app.db.begin().await?;
        let Some(id) = lock_expired(&mut tx).await? else { return Ok(()) };
        let status = set_status(&mut tx, id, Status::Active, None).await?;
        signals::decided(&mut tx, id, None, DecisionKind::Status(status, None), None).await?;
        app.commit(tx).await?;
    }
}

//! Lifts mutes and bans whose time is up.
use super::models::{DecisionKind, lock_expired, set_status};
use super::signals;
use crate::core::app::App;
use crate::core::app::identity::Status;
use crate::core::ground::jobs::Job;

/// When: every minute, so that a restriction lasts no longer than a minute too long.
const SCHEDULE: &str = "40 * * * * *";

/// The job that lifts them.
pub fn job(app: &App) -> Job {
    Job::new("restrictions", SCHEDULE, app.clone(), |app| async move { lift(&app).await })
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

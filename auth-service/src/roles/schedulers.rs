//! Lifts mutes and bans whose time is up.
use super::models::lock_expired;
use super::standings::signals::settle;
use crate::core::app::App;
use crate::core::ground::jobs::Job;

/// When: every minute, so that a restriction lasts no longer than a minute too long.
const SCHEDULE: &str = "40 * * * * *";

/// The job that lifts them.
pub fn job(app: &App) -> Job {
    Job::new("restrictions", SCHEDULE, app.clone(), |app| async move { lift(&app).await })
}

/// Lifts all that is over, each in a transaction of its own; what was stricter than another restriction leaves that one.
pub async fn lift(app: &App) -> anyhow::Result<()> {
    loop {
        let mut tx = app.db.begin().await?;
        let Some(id) = lock_expired(&mut tx).await? else { return Ok(()) };
        settle(&mut tx, id).await?;
        app.commit(tx).await?;
    }
}

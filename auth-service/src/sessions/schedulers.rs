//! Removes sessions that have been over for some days.
use crate::core::App;
use crate::core::scheduler::Job;

use super::known_devices;
use super::models::Session;

/// When: every hour, off the full hour at which other jobs begin.
const SCHEDULE: &str = "0 17 * * * *";
/// Sessions of one statement, so that none holds its locks for long.
const BATCH: i64 = 500;

/// Does it by the clock.
pub fn job() -> Job {
    Job { name: "sessions", schedule: SCHEDULE.into(), run: |app| Box::pin(async move { sweep(&app).await }) }
}

/// Removes all that are due.
pub async fn sweep(app: &App) -> anyhow::Result<()> {
    while Session::sweep(&app.db, BATCH).await? > 0 {}
    while known_devices::models::sweep(&app.db, BATCH).await? > 0 {}
    Ok(())
}

//! Removes sessions that have been over for some days.
use crate::core::app::App;
use crate::core::ground::jobs::Job;

use super::known_devices;
use super::models::Session;

/// When: every hour, off the full hour at which other jobs begin.
const SCHEDULE: &str = "0 17 * * * *";
/// Sessions of one statement, so that none holds its locks for long.
const BATCH: i64 = 500;

/// The job that removes them.
pub fn job(app: &App) -> Job {
    Job::new("sessions", SCHEDULE, app.clone(), |app| async move { sweep(&app).await })
}

/// Removes all that are due.
pub async fn sweep(app: &App) -> anyhow::Result<()> {
    while Session::sweep(&app.db, BATCH).await? > 0 {}
    while known_devices::models::sweep(&app.db, BATCH).await? > 0 {}
    Ok(())
}

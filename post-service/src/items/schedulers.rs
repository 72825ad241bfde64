//! The scheduled job of items: it deletes those that no post has.
use super::models::Item;
use crate::core::app::App;
use crate::core::ground::jobs::Job;

/// When the job runs: once a night, away from the full hour.
const SCHEDULE: &str = "10 27 3 * * *";
/// Items deleted by one statement.
const BATCH: i64 = 1_000;

/// The job that deletes the items that no post has had for a day.
pub fn job(app: &App) -> Job {
    Job::new("items", SCHEDULE, app.clone(), |app| async move { sweep(&app).await })
}

/// Deletes them, a batch at a time.
pub async fn sweep(app: &App) -> anyhow::Result<()> {
    while !app.stop.is_cancelled() && Item::sweep(&app.db, BATCH).await? > 0 {}
    Ok(())
}

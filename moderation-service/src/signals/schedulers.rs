//! What signals do in the background: fingerprints from before the window go.
use sqlx::PgPool;

use super::models::delete_old_fingerprints;
use crate::core::app::App;
use crate::core::ground::jobs::Job;

/// Every hour, away from the full hour: with a window of a day the table is then at most a twenty-fourth too large.
const SCHEDULE: &str = "50 17 * * * *";

/// The job that deletes fingerprints from before the window, in hours.
pub fn fingerprints_job(app: &App, window: f64) -> Job {
    Job::new("fingerprints", SCHEDULE, (app.db.clone(), window), delete_old)
}

async fn delete_old((db, window): (PgPool, f64)) -> anyhow::Result<()> {
    delete_old_fingerprints(&db, window).await?;
    Ok(())
}

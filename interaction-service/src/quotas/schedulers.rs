//! The scheduled job of quotas: it deletes the days that are over.
use chrono::Utc;

use super::models::Usage;
use crate::core::app::App;
use crate::core::ground::jobs::Job;

/// When the job runs: once a night, away from the full hour when many other things happen.
const SCHEDULE: &str = "20 17 3 * * *";

/// The job that deletes the days that are over.
pub fn job(app: &App) -> Job {
    Job::new("quotas", SCHEDULE, app.db.clone(), |db| async move {
        Ok(Usage::delete_before(&db, Utc::now().date_naive()).await?)
    })
}

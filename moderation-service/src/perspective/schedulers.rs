//! The scheduled job of suggested scores: it deletes those that are too old.
use chrono::{TimeDelta, Utc};

use super::models::Suggestion;
use crate::core::app::App;
use crate::core::ground::jobs::Job;

/// How long a suggestion is kept: two trainings of a quarter each can learn from it.
pub const RETENTION: TimeDelta = TimeDelta::days(180);

/// When the job runs: once a night, away from the full hour when many other things happen.
const SCHEDULE: &str = "10 41 3 * * *";

/// The job that deletes the suggestions that are too old.
pub fn job(app: &App) -> Job {
    Job::new("suggestions", SCHEDULE, app.clone(), |app| async move {
        while !app.stop.is_cancelled() && Suggestion::delete_before(&app.db, Utc::now() - RETENTION).await? {}
        Ok(())
    })
}

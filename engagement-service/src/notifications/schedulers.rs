//! The background work of notifications: it forgets those that are settled and old.
use chrono::{TimeDelta, Utc};

use super::KEPT_DAYS;
use super::models::Notification;
use crate::core::app::App;
use crate::core::contract::timestamp::Timestamp;
use crate::core::ground::jobs::Job;

/// When old notifications are deleted: at night, away from the full hour.
const SCHEDULE: &str = "0 40 3 * * *";
/// Notifications deleted by one statement.
const BATCH: i64 = 2_000;

/// The job that deletes notifications that were viewed or withdrawn and are old.
pub fn job(app: &App) -> Job {
    Job::new("notifications", SCHEDULE, app.clone(), |app| async move { purge(&app).await })
}

/// Deletes them, a batch at a time.
pub async fn purge(app: &App) -> anyhow::Result<()> {
    let before = Timestamp(Utc::now() - TimeDelta::days(KEPT_DAYS));
    while !app.stop.is_cancelled() && Notification::purge(&app.db, before, BATCH).await? > 0 {}
    Ok(())
}

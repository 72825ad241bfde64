//! What profiles do by the clock: scores follow the calendar even of those who do nothing any more.
use chrono::{NaiveDate, Utc};

use super::models::Profile;
use super::signals;
use crate::core::app::App;
use crate::core::ground::jobs::Job;

/// Profiles brought up to date in one transaction; it holds their locks for some milliseconds.
const BATCH: i64 = 500;

/// The job that follows the calendar.
pub fn job(app: &App, schedule: String) -> Job {
    let app = app.clone();
    Job::new("engagement", schedule, move || {
        let app = app.clone();
        async move { follow_calendar(&app, Utc::now().date_naive()).await }
    })
}

/// Brings all scores that look up to a day before `today` up to it. Whoever has nothing left within the window drops out
/// until they do something, so quiet profiles cost nothing.
pub async fn follow_calendar(app: &App, today: NaiveDate) -> anyhow::Result<()> {
    while !app.stop.is_cancelled() {
        let due = Profile::due(&app.db, today, BATCH).await?;
        if due.is_empty() {
            break;
        }
        let mut tx = app.db.begin().await?;
        signals::time_passed(&mut tx, &due, today).await?;
        app.commit(tx).await?;
    }
    Ok(())
}

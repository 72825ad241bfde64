//! The scheduled job of activity profiles: it recalculates scores as days go by, also of users without new activity.
use chrono::{NaiveDate, Utc};

use super::models::Profile;
use super::signals;
use crate::core::app::App;
use crate::core::ground::jobs::Job;

/// Profiles recalculated in one transaction; it holds their locks for some milliseconds.
const BATCH: i64 = 500;

/// The job that recalculates scores as days go by.
pub fn job(app: &App, schedule: String) -> Job {
    Job::new("engagement", schedule, app.clone(), |app| async move {
        recalculate_scores(&app, Utc::now().date_naive()).await
    })
}

/// Recalculates all scores that were calculated for a day before `today`. A profile without activity in the window drops out
/// until its user is active again, so inactive users cost nothing.
pub async fn recalculate_scores(app: &App, today: NaiveDate) -> anyhow::Result<()> {
    while !app.stop.is_cancelled() {
        let due = Profile::list_due(&app.db, today, BATCH).await?;
        if due.is_empty() {
            break;
        }
        let mut tx = app.db.begin().await?;
        signals::day_passed(&mut tx, &due, today).await?;
        app.commit(tx).await?;
    }
    Ok(())
}

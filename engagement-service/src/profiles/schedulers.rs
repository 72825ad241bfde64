//! What profiles do by the clock: scores follow the calendar even of those who do nothing any more.
use chrono::{NaiveDate, Utc};

use super::models::Profile;
use super::signals;
use crate::core::App;
use crate::core::scheduler::Job;
use crate::settings::Settings;

/// Profiles brought up to date in one transaction; it holds their locks for some milliseconds.
const BATCH: i64 = 500;

/// What is done when.
pub fn jobs(settings: &Settings) -> Vec<Job> {
    let run = |app: App| -> futures::future::BoxFuture<'static, anyhow::Result<()>> {
        Box::pin(async move { follow_calendar(&app, Utc::now().date_naive()).await })
    };
    vec![Job { name: "engagement", schedule: settings.engagement_cron.clone(), run }]
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

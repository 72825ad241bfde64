//! The scheduled job of digests: it asks for the mails of those whose hour has come.
use chrono::{DateTime, Utc};

use super::models::Digest;
use super::signals;
use crate::core::app::App;
use crate::core::ground::jobs::Job;
use crate::unsubscribe::services::UnsubscribeLinks;

/// When the job runs: every five minutes, so a digest is at most that late.
const SCHEDULE: &str = "30 */5 * * * *";
/// Digests taken in one transaction: it holds their locks for some milliseconds.
const BATCH: i64 = 100;

/// The job that asks for digests that are due.
pub fn job(app: &App, links: UnsubscribeLinks) -> Job {
    Job::new("digests", SCHEDULE, (app.clone(), links), |(app, links)| async move {
        request_due(&app, &links, Utc::now()).await
    })
}

/// Asks for all digests that are due by then.
pub async fn request_due(app: &App, links: &UnsubscribeLinks, now: DateTime<Utc>) -> anyhow::Result<()> {
    while !app.stop.is_cancelled() {
        let mut tx = app.db.begin().await?;
        let users = Digest::take_due(&mut tx, now, BATCH).await?;
        if users.is_empty() {
            break;
        }
        signals::digests_due(&mut tx, links, &users, now).await?;
        app.commit(tx).await?;
    }
    Ok(())
}

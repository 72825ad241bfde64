//! The worker that writes system messages out to their readers, a page at a time, with the place kept: after a crash it goes on
//! where it was.
use std::time::Duration;

use chrono::{TimeDelta, Utc};

use super::models::SystemMessage;
use crate::core::app::App;
use crate::core::contract::timestamp::Timestamp;
use crate::core::ground::jobs::Job;
use crate::core::ground::worker::{Outcome, Worker};
use crate::notifications::models::Announcement;
use crate::notifications::{KEPT_DAYS, Type, signals};

/// Readers of a message in one transaction, which holds their locks for some 50 ms.
const PAGE: i64 = 1_000;
/// How often the worker looks for a message of another replica.
const POLL: Duration = Duration::from_secs(5);

/// When old messages to one reader are deleted: behind the notifications of them.
const SCHEDULE: &str = "0 50 3 * * *";
/// Messages deleted by one statement.
const BATCH: i64 = 2_000;

/// The job that deletes old messages to one reader, which has no notification of them any more.
pub fn job(app: &App) -> Job {
    Job::new("system_messages", SCHEDULE, app.clone(), |app| async move { purge(&app).await })
}

/// Deletes them, a batch at a time.
pub async fn purge(app: &App) -> anyhow::Result<()> {
    let before = Timestamp(Utc::now() - TimeDelta::days(KEPT_DAYS));
    while !app.stop.is_cancelled() && SystemMessage::purge(&app.db, before, BATCH).await? > 0 {}
    Ok(())
}

/// Writes messages out.
pub struct MessageWriter(pub App);

impl Worker for MessageWriter {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let mut tx = self.0.db.begin().await?;
        let Some(message) = SystemMessage::lock_next(&mut tx).await? else { return Ok(Outcome::Idle(POLL)) };
        let readers = message.list_readers(&mut *tx, PAGE).await?;
        let announcement =
            |user_id| Announcement { user_id, subject_id: message.id, at: message.created_at, levels: None };
        let all: Vec<_> = readers.iter().copied().map(announcement).collect();
        signals::announced(&mut tx, Type::SystemMessage, &all).await?;
        message.save_progress(&mut tx, readers.last().copied()).await?;
        self.0.commit(tx).await?;
        Ok(Outcome::Busy)
    }
}

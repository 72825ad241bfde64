//! The background work of notifications: new ones are handed to their channels, and old ones that are settled are deleted.
use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use futures::future::BoxFuture;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::KEPT_DAYS;
use super::models::{DueNotification, Notification};
use crate::core::app::App;
use crate::core::contract::timestamp::Timestamp;
use crate::core::ground::jobs::Job;
use crate::core::ground::worker::{Outcome, Worker};

/// Notifications that are dispatched in one transaction.
const DISPATCHED_AT_ONCE: i64 = 200;
/// How often the dispatcher looks for what is due by the clock, or was written by another replica.
const POLL: Duration = Duration::from_secs(1);
/// Older news use no channel.
const MAX_AGE: TimeDelta = TimeDelta::days(1);

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

/// Something that uses a channel, such as mail or push, for notifications: it writes what is to be sent in this transaction, and
/// answers for which notifications it has something at hand now.
pub type Channel =
    for<'a> fn(&'a mut PgTransaction<'static>, &'a [DueNotification]) -> BoxFuture<'a, sqlx::Result<Vec<Uuid>>>;

/// The worker that hands new notifications to their channels. One that no channel wants is sent: it is in the list. One that a
/// channel has at hand is `SENDING` until the channel says `Notification::mark_sent`.
pub struct Dispatcher {
    app: App,
    channels: Vec<Channel>,
}

impl Dispatcher {
    /// A dispatcher with these channels, each of which knows what a person prefers.
    pub fn new(app: &App, channels: Vec<Channel>) -> Self {
        Self { app: app.clone(), channels }
    }
}

impl Worker for Dispatcher {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let mut tx = self.app.db.begin().await?;
        let due = Notification::lock_due(&mut tx, DISPATCHED_AT_ONCE).await?;
        if due.is_empty() {
            return Ok(Outcome::Idle(POLL));
        }
        // What happened long ago, and is consumed now, is no reason to ring a bell.
        let since = Timestamp(Utc::now() - MAX_AGE);
        let (fresh, stale): (Vec<_>, Vec<_>) = due.into_iter().partition(|one| one.updated_at > since);
        let mut sending = BTreeSet::new();
        for channel in &self.channels {
            sending.extend(channel(&mut tx, &fresh).await?);
        }
        Notification::mark_sending(&mut tx, &sending.iter().copied().collect::<Vec<_>>()).await?;
        let quiet = fresh.iter().chain(&stale).map(|one| one.id).filter(|id| !sending.contains(id));
        Notification::mark_sent(&mut tx, &quiet.collect::<Vec<_>>()).await?;
        for one in fresh.iter().chain(&stale) {
            let outcome = if sending.contains(&one.id) { "channel" } else { "list" };
            let labels = [("type", one.r#type.word()), ("outcome", outcome)];
            metrics::counter!("notifications_dispatched_total", &labels).increment(1);
        }
        self.app.commit(tx).await?;
        Ok(Outcome::Busy)
    }
}

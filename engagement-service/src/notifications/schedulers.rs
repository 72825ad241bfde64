//! The background work of notifications: new ones are handed to their channels, and old ones that are settled are deleted.
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::channels::{Handed, Handling, Outlet};
use super::models::Notification;
use super::{KEPT_DAYS, NEWS_AGE, UNSEEN_KEPT_DAYS};
use crate::core::app::App;
use crate::core::contract::timestamp::Timestamp;
use crate::core::ground::jobs::Job;
use crate::core::ground::worker::{Outcome, Worker};

/// Notifications that are dispatched in one transaction.
const DISPATCHED_AT_ONCE: i64 = 200;
/// How often the dispatcher looks for what is due by the clock, or was written by another replica.
const POLL: Duration = Duration::from_secs(1);

/// When old notifications are deleted: at night, away from the full hour.
const SCHEDULE: &str = "0 40 3 * * *";
/// Notifications of one kind, viewed or not, that one transaction deletes.
const BATCH: i64 = 500;

/// The job that deletes old notifications.
pub fn job(app: &App) -> Job {
    Job::new("notifications", SCHEDULE, app.clone(), |app| async move { purge(&app).await })
}

/// Deletes them, a batch at a time: earlier those that were viewed or withdrawn.
pub async fn purge(app: &App) -> anyhow::Result<()> {
    let [before, unseen_before] =
        [KEPT_DAYS, UNSEEN_KEPT_DAYS].map(|days| Timestamp(Utc::now() - TimeDelta::days(days)));
    while !app.stop.is_cancelled() {
        let mut tx = app.db.begin().await?;
        let purged = Notification::purge(&mut tx, before, unseen_before, BATCH).await?;
        tx.commit().await?;
        if purged == 0 {
            break;
        }
    }
    Ok(())
}

/// What channels do with notifications, by the ids of these.
#[derive(Debug, Default)]
struct Handover {
    taken: BTreeSet<Uuid>,
    at_hand: BTreeSet<Uuid>,
    gathered: BTreeSet<Uuid>,
    held: BTreeMap<Uuid, DateTime<Utc>>,
}

impl Handover {
    fn add(&mut self, Handed { id, handling }: Handed) {
        match handling {
            Handling::Taken => {
                self.taken.insert(id);
            }
            Handling::AtHand => {
                self.taken.insert(id);
                self.at_hand.insert(id);
            }
            Handling::Gathered => {
                self.gathered.insert(id);
            }
            Handling::Held(until) => {
                let latest = self.held.entry(id).or_insert(until);
                *latest = until.max(*latest);
            }
        }
    }
}

/// The worker that hands new notifications to their channels. One that no channel wants is sent: it is in the list. One that a
/// channel has at hand is `SENDING` until nothing of it waits, and one that is held back stays `GENERATED`.
pub struct Dispatcher {
    app: App,
    channels: Vec<Box<dyn Outlet>>,
}

impl Dispatcher {
    /// A dispatcher with these channels, each of which knows what a person prefers.
    pub fn new(app: &App, channels: Vec<Box<dyn Outlet>>) -> Self {
        Self { app: app.clone(), channels }
    }
}

impl Worker for Dispatcher {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let settled = Notification::settle(&self.app.db, DISPATCHED_AT_ONCE).await?;
        let mut tx = self.app.db.begin().await?;
        let due = Notification::lock_due(&mut tx, DISPATCHED_AT_ONCE).await?;
        if due.is_empty() {
            return Ok(if settled > 0 { Outcome::Busy } else { Outcome::Idle(POLL) });
        }
        // What happened long ago, and is consumed now, is no reason to ring a bell.
        let now = Utc::now();
        let since = Timestamp(now - NEWS_AGE);
        let (fresh, stale): (Vec<_>, Vec<_>) = due.into_iter().partition(|one| one.updated_at > since);
        let mut all = Handover::default();
        for channel in &self.channels {
            for handed in channel.hand_over(&mut tx, &fresh, now).await? {
                all.add(handed);
            }
        }
        Notification::hold(&mut tx, &all.held, &all.gathered).await?;
        let left: Vec<&Notification> =
            fresh.iter().chain(&stale).filter(|one| !all.held.contains_key(&one.id)).collect();
        let taken = left.iter().map(|one| one.id).filter(|id| all.taken.contains(id));
        Notification::mark_sending(&mut tx, &taken.collect::<Vec<_>>()).await?;
        let done = left.iter().map(|one| one.id).filter(|id| !all.at_hand.contains(id));
        Notification::mark_sent(&mut tx, &done.collect::<Vec<_>>()).await?;
        for one in left {
            let outcome = if all.taken.contains(&one.id) { "channel" } else { "list" };
            let labels = [("type", one.r#type.word()), ("outcome", outcome)];
            metrics::counter!("notifications_dispatched_total", &labels).increment(1);
        }
        self.app.commit(tx).await?;
        Ok(Outcome::Busy)
    }
}

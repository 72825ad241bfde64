//! The open streams of this process, by person, and how they are woken.
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use uuid::Uuid;

use super::models::{News, list_readers_of_posts};
use crate::core::app::App;

/// What a person's streams are woken by: each number grows with a reason to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wake {
    pub notifications: u64,
    pub feeds: u64,
}

/// The streams of one person.
struct Open {
    wakes: watch::Sender<Wake>,
    streams: usize,
    /// The last change that a poll has found.
    polled: i64,
}

/// The open streams of this process.
pub struct Hub {
    pub app: App,
    /// How often a stream sends a comment, and renews its lease.
    pub heartbeat: Duration,
    open: Mutex<HashMap<Uuid, Open>>,
    listens: AtomicBool,
}

impl Hub {
    /// A hub without streams.
    pub fn new(app: App, heartbeat: Duration) -> Self {
        Self { app, heartbeat, open: Mutex::default(), listens: AtomicBool::new(false) }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Uuid, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the listener has to be started: the first stream of all needs it, and a replica without streams does not.
    pub fn needs_listener(&self) -> bool {
        !self.listens.swap(true, Ordering::Relaxed)
    }

    /// Registers a stream of a person, unless this process has as many as a person may have.
    pub fn register(self: &Arc<Self>, user: Uuid, max: usize) -> Option<OpenStream> {
        let mut all = self.open();
        let open =
            all.entry(user).or_insert_with(|| Open { wakes: watch::Sender::default(), streams: 0, polled: i64::MAX });
        if open.streams >= max {
            return None;
        }
        open.streams += 1;
        metrics::gauge!("notification_streams_open").increment(1.0);
        let wakes = open.wakes.subscribe();
        let feeds = wakes.borrow().feeds;
        Some(OpenStream { hub: self.clone(), user, wakes, feeds })
    }

    /// Wakes the streams of people, where there are any.
    pub fn wake(&self, users: impl Iterator<Item = Uuid>, change: fn(&mut Wake)) {
        let all = self.open();
        for open in users.filter_map(|user| all.get(&user)) {
            open.wakes.send_modify(change);
        }
    }

    /// Wakes the streams of those who look up one of these posts, by one query over all open streams.
    pub async fn wake_for_posts(&self, posts: &[Uuid]) -> sqlx::Result<()> {
        let users: Vec<Uuid> = self.open().keys().copied().collect();
        if users.is_empty() {
            return Ok(());
        }
        let readers = list_readers_of_posts(&self.app.db, posts, &users).await?;
        self.wake(readers.into_iter(), |wake| wake.feeds += 1);
        Ok(())
    }

    /// Finds the changes of which no message came, in one query over all open streams.
    pub async fn poll(&self) -> sqlx::Result<()> {
        let users: Vec<Uuid> = self.open().keys().copied().collect();
        if users.is_empty() {
            return Ok(());
        }
        let news = News::list(&self.app.db, &users).await?;
        let mut all = self.open();
        for News { user_id, last_change } in news {
            if let Some(open) = all.get_mut(&user_id)
                && open.polled != last_change
            {
                open.polled = last_change;
                open.wakes.send_modify(|wake| wake.notifications += 1);
            }
        }
        Ok(())
    }
}

/// A stream's place in the hub, for as long as it lives.
pub struct OpenStream {
    pub hub: Arc<Hub>,
    pub user: Uuid,
    pub wakes: watch::Receiver<Wake>,
    /// The news of the feed of which the stream has sent an event, or that came before it.
    pub feeds: u64,
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        metrics::gauge!("notification_streams_open").decrement(1.0);
        let mut all = self.hub.open();
        if let Some(open) = all.get_mut(&self.user) {
            open.streams -= 1;
            if open.streams == 0 {
                all.remove(&self.user);
            }
        }
    }
}

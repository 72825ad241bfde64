//! One open stream: what it sends next.
use std::collections::VecDeque;
use std::future::ready;
use std::time::Duration;

use axum::http::request::Parts;
use axum::response::sse::Event;
use chrono::Utc;
use serde_json::json;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};
use uuid::Uuid;

use super::hub::OpenStream;
use super::leases::StreamLease;
use super::models::News;
use crate::core::api::errors::{Error, is_transient};
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::notifications::models::{Notification, Selection};
use crate::notifications::schemas::NotificationOut;

/// Changes that are read and sent at once; a client that does not take them holds that many and no more.
const PAGE: i64 = 20;
/// Checks of the token within a heartbeat.
const CHECKS: u32 = 3;
/// The longest time between two of them: an open stream ends within ten seconds of its session, however rare heartbeats are.
const LONGEST_CHECK: Duration = Duration::from_secs(5);
/// How often in a row a token may go unchecked because the auth service is away, before the stream ends.
const MAX_UNCHECKED: u32 = 2;
/// When a client comes back after the end of a stream.
const RETRY: Duration = Duration::from_secs(2);
/// Longer than any stream lives; it has no other end then.
const FOREVER: Duration = Duration::from_hours(24 * 365);

/// How often a stream with that heartbeat checks its token.
pub fn check_interval(heartbeat: Duration) -> Duration {
    (heartbeat / CHECKS).min(LONGEST_CHECK)
}

/// An open stream.
pub struct LiveStream {
    app: App,
    place: OpenStream,
    lease: StreamLease,
    /// The request, of which the token is kept.
    request: Parts,
    /// The last change that was sent.
    last: i64,
    unread: Option<i64>,
    /// Whether it goes on where another one has ended, and has not said yet that the feed may have new posts since: these have no number.
    is_resumed: bool,
    /// Whether there may be changes after the last one.
    is_behind: bool,
    ready: VecDeque<Event>,
    heartbeats: Interval,
    checks: Interval,
    unchecked: u32,
    ends_at: Instant,
    /// Whether it ends with what is there now.
    is_once: bool,
}

impl LiveStream {
    /// A stream that goes on after a change, or begins with what changes from now on. It is registered before anything is read, so
    /// that nothing falls between.
    pub async fn open(
        place: OpenStream,
        lease: StreamLease,
        request: Parts,
        user: &User,
        after: Option<i64>,
        lasts: Option<Duration>,
    ) -> sqlx::Result<Self> {
        let (app, heartbeat) = (place.hub.app.clone(), place.hub.heartbeat);
        let news = News::list(&app.db, &[place.user]).await?;
        let newest = news.first().map_or(0, |news| news.last_change);
        // A number that was never given out is one of a database that was restored.
        let last = after.map_or(newest, |after| after.min(newest));
        let (now, check) = (Instant::now(), check_interval(heartbeat));
        let token_lasts = user.expires_at.map(|end| (end - Utc::now()).to_std().unwrap_or(Duration::ZERO));
        let ends_at = now + token_lasts.unwrap_or(FOREVER).min(lasts.unwrap_or(FOREVER));
        let every = |period: Duration| {
            let mut interval = interval_at(now + period, period);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        };
        Ok(Self {
            app,
            place,
            lease,
            request,
            last,
            unread: None,
            is_resumed: after.is_some(),
            is_behind: true,
            // The number as well: a client that gets no notification comes back with it all the same.
            ready: VecDeque::from([Event::default().retry(RETRY).id(last.to_string())]),
            heartbeats: every(heartbeat),
            checks: every(check),
            unchecked: 0,
            ends_at,
            is_once: lasts == Some(Duration::ZERO),
        })
    }

    /// What is sent next; none at the end. What is done now and then is boxed: an idle stream does not hold the room for it.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.is_once && !self.is_behind {
                return None;
            }
            // The ends come first: a client that is far behind, or reads slowly, does not outlive its session.
            tokio::select! {
                biased;
                () = self.app.stop.cancelled() => return None,
                () = sleep_until(self.ends_at), if !self.is_once => return None,
                _ = self.checks.tick() => {
                    if !Box::pin(self.is_still_allowed()).await {
                        return None;
                    }
                }
                _ = self.heartbeats.tick() => {
                    if !Box::pin(self.lease.take()).await {
                        return None;
                    }
                    self.ready.push_back(Event::default().comment(""));
                }
                () = ready(()), if self.is_behind => {
                    if let Err(error) = Box::pin(self.read()).await {
                        // The client comes back with the number of what it has.
                        tracing::debug!(error = format!("{error:#}"), "a stream ends: what changed cannot be read");
                        return None;
                    }
                }
                woken = self.place.wakes.changed() => {
                    woken.ok()?;
                    self.look();
                }
            }
        }
    }

    /// Notes what the stream was woken for.
    fn look(&mut self) {
        let wake = *self.place.wakes.borrow_and_update();
        if wake.feeds != self.place.feeds {
            self.place.feeds = wake.feeds;
            self.ready.push_back(news_of_feed());
        }
        self.is_behind = true;
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        let selection = Selection::After { change: self.last, rows: PAGE };
        let changed = Notification::list(&self.app.db, self.place.user, selection).await?;
        self.is_behind = changed.len() >= usize::try_from(PAGE)?;
        for notification in changed {
            self.last = notification.change;
            self.ready.push_back(event(notification)?);
        }
        let unread = Notification::count_unread(&self.app.db, self.place.user).await?;
        if !self.is_behind && self.unread != Some(unread) {
            self.unread = Some(unread);
            self.ready.push_back(Event::default().event("unread").json_data(json!({ "unread": unread }))?);
        }
        if !self.is_behind && std::mem::take(&mut self.is_resumed) {
            self.ready.push_back(news_of_feed());
        }
        Ok(())
    }

    /// Asks for the caller as a request does. An event of the session's end has made the answer of before untrue.
    async fn is_still_allowed(&mut self) -> bool {
        match self.app.authenticator.authenticate(&self.request).await {
            Ok(user) => {
                self.unchecked = 0;
                user.id == self.place.user
            }
            Err(error) => {
                self.unchecked += 1;
                let is_away = match &error {
                    Error::Challenged(status, _) | Error::Refused(status, _) => status.is_server_error(),
                    Error::Database(cause) => is_transient(cause),
                    _ => false,
                };
                is_away && self.unchecked < MAX_UNCHECKED
            }
        }
    }
}

/// The feed has new posts, or may have.
fn news_of_feed() -> Event {
    Event::default().event("feed").data("{}")
}

/// A change as it is sent: the notification as it is now, or that it is withdrawn.
fn event(notification: Notification) -> Result<Event, axum::Error> {
    let event = Event::default().event("notification").id(notification.change.to_string());
    if notification.shown {
        return event.json_data(NotificationOut::from(notification));
    }
    let id: Uuid = notification.id;
    event.json_data(json!({ "id": id, "withdrawn": true }))
}

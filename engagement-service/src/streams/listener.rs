//! The listener of a process: a worker that wakes streams when Redis names their readers.
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::StreamExt;
use redis::aio::{PubSub, PubSubStream};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::hub::Hub;
use super::{FEED_NEWS, NOTIFICATIONS_NEWS};
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};

/// How often the open streams are compared with Postgres, for changes of which no message came.
const LISTENER_POLL: Duration = Duration::from_secs(5);

/// Wakes the streams of this process when a message names their readers, and looks for itself every few seconds.
pub struct Listener {
    hub: Weak<Hub>,
    messages: Option<PubSubStream>,
    polled: Instant,
}

impl Listener {
    /// A listener that is not connected yet.
    pub fn new(hub: &Arc<Hub>) -> Self {
        Self { hub: Arc::downgrade(hub), messages: None, polled: Instant::now() }
    }
}

impl Worker for Listener {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        // A hub is gone when its service is.
        let Some(hub) = self.hub.upgrade() else { return Ok(Outcome::Idle(LISTENER_POLL)) };
        let next = self.polled + LISTENER_POLL;
        let Some(messages) = &mut self.messages else {
            let connected = connect(&hub.app).await;
            // Also before the first message, and while Redis is away: what was published before is found so.
            self.polled = Instant::now();
            hub.poll().await?;
            self.messages = Some(connected?);
            return Ok(Outcome::Busy);
        };
        let message = tokio::select! {
            message = timeout_at(next, messages.next()) => message,
            () = hub.app.stop.cancelled() => return Ok(Outcome::Busy),
        };
        let Ok(message) = message else {
            self.polled = Instant::now();
            hub.poll().await?;
            return Ok(Outcome::Busy);
        };
        let Some(message) = message else {
            self.messages = None;
            return Ok(Outcome::Busy);
        };
        let users = message.get_payload_bytes().chunks_exact(16).filter_map(|id| Uuid::from_slice(id).ok());
        match message.get_channel_name() {
            FEED_NEWS => hub.wake(users, |wake| wake.feeds += 1),
            _ => hub.wake(users, |wake| wake.notifications += 1),
        }
        Ok(Outcome::Busy)
    }
}

async fn connect(app: &App) -> anyhow::Result<PubSubStream> {
    let mut connection: PubSub = app.settings.redis()?.get_async_pubsub().await?;
    connection.subscribe(&[NOTIFICATIONS_NEWS, FEED_NEWS]).await?;
    Ok(connection.into_on_message())
}

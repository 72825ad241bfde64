//! The listener of a process: a worker that wakes streams when Redis names their readers, or posts that their readers look up.
use std::slice;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::StreamExt;
use redis::aio::{PubSub, PubSubStream};
use redis::{Client, ErrorKind, RedisError, RedisResult};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::hub::Hub;
use super::{FEED_NEWS, FEED_POSTS, NOTIFICATIONS_NEWS};
use crate::core::app::App;
use crate::core::ground::redis::RedisAddress;
use crate::core::ground::worker::{Outcome, Worker};

/// How often the open streams are compared with Postgres, for changes of which no message came.
const LISTENER_POLL: Duration = Duration::from_secs(5);
/// How often the open streams are compared with posts that were announced: what comes meanwhile is one query.
const POSTS_PAUSE: Duration = Duration::from_millis(500);
/// Posts that one such query is about; with that many it does not wait.
const MAX_POSTS: usize = 100;

/// Wakes the streams of this process when a message names their readers or posts that these look up, and looks for itself every few seconds.
pub struct Listener {
    hub: Weak<Hub>,
    messages: Option<PubSubStream>,
    polled: Instant,
    /// Posts with which the open streams are not compared yet.
    posts: Vec<Uuid>,
    compared: Instant,
}

impl Listener {
    /// A listener that is not connected yet.
    pub fn new(hub: &Arc<Hub>) -> Self {
        let now = Instant::now();
        Self { hub: Arc::downgrade(hub), messages: None, polled: now, posts: Vec::new(), compared: now }
    }
}

impl Worker for Listener {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        // A hub is gone when its service is.
        let Some(hub) = self.hub.upgrade() else { return Ok(Outcome::Idle(LISTENER_POLL)) };
        let is_due = self.compared.elapsed() >= POSTS_PAUSE || self.posts.len() >= MAX_POSTS;
        if is_due && !self.posts.is_empty() {
            self.compared = Instant::now();
            // They are hints, and gone when the query fails: readers find what is new when they look.
            let posts = std::mem::take(&mut self.posts);
            hub.wake_for_posts(&posts).await?;
            return Ok(Outcome::Busy);
        }
        let next = self.polled + LISTENER_POLL;
        let until = if self.posts.is_empty() { next } else { next.min(self.compared + POSTS_PAUSE) };
        let Some(messages) = &mut self.messages else {
            let connected = connect(&hub.app).await;
            // Also before the first message, and while Redis is away: what was published before is found so.
            self.polled = Instant::now();
            hub.poll().await?;
            self.messages = Some(connected?);
            return Ok(Outcome::Busy);
        };
        let message = tokio::select! {
            message = timeout_at(until, messages.next()) => message,
            () = hub.app.stop.cancelled() => return Ok(Outcome::Busy),
        };
        let Ok(message) = message else {
            if Instant::now() >= next {
                self.polled = Instant::now();
                hub.poll().await?;
            }
            return Ok(Outcome::Busy);
        };
        let Some(message) = message else {
            self.messages = None;
            return Ok(Outcome::Busy);
        };
        let ids = message.get_payload_bytes().chunks_exact(16).filter_map(|id| Uuid::from_slice(id).ok());
        match message.get_channel_name() {
            FEED_NEWS => hub.wake(ids, |wake| wake.feeds += 1),
            FEED_POSTS => self.posts.extend(ids),
            _ => hub.wake(ids, |wake| wake.notifications += 1),
        }
        Ok(Outcome::Busy)
    }
}

async fn connect(app: &App) -> anyhow::Result<PubSubStream> {
    let mut connection = connect_to_subscribe(&app.settings.redis()?).await?;
    connection.subscribe(&[NOTIFICATIONS_NEWS, FEED_NEWS, FEED_POSTS]).await?;
    Ok(connection.into_on_message())
}

/// A connection that subscribes to channels. In a cluster any node that answers has all of them.
async fn connect_to_subscribe(address: &RedisAddress) -> RedisResult<PubSub> {
    let nodes = match address {
        RedisAddress::Server(server) => slice::from_ref(server),
        RedisAddress::Sentinels(sentinels) => return sentinels.find_primary().await?.get_async_pubsub().await,
        RedisAddress::Cluster(nodes) => nodes.as_slice(),
    };
    let mut failure = RedisError::from((ErrorKind::InvalidClientConfig, "a cluster without nodes"));
    for node in nodes {
        match Client::open(node.clone())?.get_async_pubsub().await {
            Ok(connection) => return Ok(connection),
            Err(cause) => failure = cause,
        }
    }
    Err(failure)
}

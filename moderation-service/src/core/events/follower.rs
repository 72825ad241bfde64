//! A follower reads a stream outside of the consumer group, one in every replica, for what the replica holds in memory:
//! from now on, and with a call of `on_gap` whenever it may have missed an entry.
use std::time::Duration;

use anyhow::Context;
use redis::aio::MultiplexedConnection;
use redis::streams::StreamReadOptions;
use redis::{AsyncCommands, AsyncConnectionConfig};

use crate::core::app::App;
use crate::core::events::inbox::{Entries, field};
use crate::core::ground::worker::{Outcome, Worker};

/// How long a read waits, in milliseconds, and how long its answer may take.
const BLOCK: usize = 2000;
const READ_TIMEOUT: Duration = Duration::from_secs(4);

/// What is done with a message, and when some may have been missed.
type OnMessage = dyn Fn(&str) -> anyhow::Result<()> + Send + Sync;
type OnGap = dyn Fn() -> anyhow::Result<()> + Send + Sync;

/// Reads one stream as it grows.
pub struct Follower {
    app: App,
    stream: &'static str,
    on_message: Box<OnMessage>,
    on_gap: Box<OnGap>,
    /// The connection, which is its own because reads block, and the entry up to which it has read.
    reading: Option<(MultiplexedConnection, String)>,
}

impl Follower {
    /// A follower that calls `on_message` for each message, and `on_gap` when it may have missed some.
    pub fn new(
        app: &App,
        stream: &'static str,
        on_message: impl Fn(&str) -> anyhow::Result<()> + Send + Sync + 'static,
        on_gap: impl Fn() -> anyhow::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self { app: app.clone(), stream, on_message: Box::new(on_message), on_gap: Box::new(on_gap), reading: None }
    }

    /// Begins at the end of the stream; what was published before may have been missed.
    pub async fn begin(&mut self) -> anyhow::Result<()> {
        let patient = AsyncConnectionConfig::new().set_response_timeout(Some(READ_TIMEOUT));
        let client = self.app.settings.redis()?;
        let mut connection = client.get_multiplexed_async_connection_with_config(&patient).await?;
        let last: Entries = connection.xrevrange_count(self.stream, "+", "-", 1).await?;
        (self.on_gap)()?;
        let last = last.into_iter().next().map_or_else(|| "0-0".to_owned(), |(id, _)| id);
        self.reading = Some((connection, last));
        Ok(())
    }

    async fn read(&mut self) -> anyhow::Result<Outcome> {
        if self.reading.is_none() {
            self.begin().await?;
        }
        let Some((connection, last)) = &mut self.reading else { return Ok(Outcome::Idle) };
        let options = StreamReadOptions::default().block(BLOCK);
        let reply: Option<Vec<(String, Entries)>> =
            connection.xread_options(&[self.stream], &[last.as_str()], &options).await?;
        for (id, fields) in reply.into_iter().flatten().flat_map(|(_, entries)| entries) {
            let message = fields.as_ref().and_then(|fields| field(fields, "message"));
            (self.on_message)(message.context("an entry without a message")?)?;
            *last = id;
        }
        Ok(Outcome::Busy)
    }
}

impl Worker for Follower {
    fn name(&self) -> String {
        format!("follower of {}", self.stream)
    }

    async fn step(&mut self) -> anyhow::Result<Outcome> {
        // A stop must not wait for a read that blocks.
        let stop = self.app.stop.clone();
        let outcome = tokio::select! {
            () = stop.cancelled() => return Ok(Outcome::Idle),
            outcome = self.read() => outcome,
        };
        if outcome.is_err() {
            self.reading = None;
        }
        outcome
    }
}

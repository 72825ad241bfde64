//! A follower reads a stream outside of the consumer group, one in every replica, for what the replica holds in memory:
//! from now on, and it says so whenever it may have missed an entry.
use anyhow::Context;
use redis::AsyncCommands;
use redis::streams::StreamReadOptions;

use crate::core::app::App;
use crate::core::events::inbox::{Entries, field};
use crate::core::events::{BLOCK, connect_to_read};
use crate::core::ground::redis::Redis;
use crate::core::ground::worker::{Outcome, Worker};

/// What is done with a message, or, with none, when some may have been missed.
type OnMessage = dyn Fn(Option<&str>) -> anyhow::Result<()> + Send + Sync;

/// Reads one stream as it grows.
pub struct Follower {
    app: App,
    stream: &'static str,
    on_message: Box<OnMessage>,
    /// The connection, which is its own because reads block, and the entry up to which it has read.
    reading: Option<(Redis, String)>,
}

impl Follower {
    /// A follower that calls `on_message` for each message, and without one when it may have missed some.
    pub fn new(
        app: &App,
        stream: &'static str,
        on_message: impl Fn(Option<&str>) -> anyhow::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self { app: app.clone(), stream, on_message: Box::new(on_message), reading: None }
    }

    /// Begins at the end of the stream; what was published before may have been missed.
    pub async fn begin(&mut self) -> anyhow::Result<()> {
        let mut connection = connect_to_read(&self.app).await?;
        let last: Entries = connection.xrevrange_count(self.stream, "+", "-", 1).await?;
        (self.on_message)(None)?;
        let last = last.into_iter().next().map_or_else(|| "0-0".to_owned(), |(id, _)| id);
        self.reading = Some((connection, last));
        Ok(())
    }
}

impl Worker for Follower {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        // A stop must not wait for a read that blocks.
        let stop = self.app.stop.clone();
        // Forgotten until the read is done: one that fails, or is given up, may have missed entries.
        let Some((mut connection, mut last)) = self.reading.take() else {
            stop.run_until_cancelled(self.begin()).await.transpose()?;
            return Ok(Outcome::Busy);
        };
        let options = StreamReadOptions::default().block(usize::try_from(BLOCK.as_millis())?);
        let (streams, after) = ([self.stream], [last.as_str()]);
        let read = connection.xread_options(&streams, &after, &options);
        let Some(reply) = stop.run_until_cancelled(read).await else { return Ok(Outcome::Busy) };
        let reply: Option<Vec<(String, Entries)>> = reply?;
        for (id, fields) in reply.into_iter().flatten().flat_map(|(_, entries)| entries) {
            let message = fields.as_ref().and_then(|fields| field(fields, "message"));
            (self.on_message)(Some(message.context("an entry without a message")?))?;
            last = id;
        }
        self.reading = Some((connection, last));
        Ok(Outcome::Busy)
    }
}

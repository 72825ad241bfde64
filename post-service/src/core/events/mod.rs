//! Domain events: written with the change (`outbox`), published to Redis (`relay`), applied exactly once (`consumer`).
//!
//! A change and its events are one transaction, so none is lost. The relay numbers events densely per stream and appends
//! them under these numbers only behind the number before, so that Redis holds each once and in order, however many
//! relays run and however often they die. A consumer moves a watermark in the same transaction as the effects, so that
//! each is applied once, and sees from the numbers when Redis has lost something.
pub mod backlog;
pub mod consumer;
pub mod follower;
mod inbox;
mod numbering;
pub mod outbox;
pub mod relay;
pub mod repair;
pub mod retention;

#[cfg(test)]
mod tests;

use std::fmt;
use std::future::ready;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use redis::RedisResult;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::api::errors::is_transient;
use crate::core::app::App;
use crate::core::ground::redis::Redis;
use crate::core::ground::telemetry::meters;

/// How long Redis holds a read of a stream at whose end nothing is new.
const BLOCK: Duration = Duration::from_secs(2);
/// Entries that a consumer reads, and applies in one transaction, at most, where its subscription does not say less.
const BATCH: usize = 500;
/// How long an answer of Redis may take; longer than [`BLOCK`], or entries are delivered and their answer is not read.
const READ_TIMEOUT: Duration = Duration::from_secs(4);

/// A connection to Redis for reads that block, which would hold up everything else that shares one.
async fn connect_to_read(app: &App) -> RedisResult<Redis> {
    app.settings.redis()?.connect(READ_TIMEOUT).await
}

/// The id of an entry in a stream: `<ms>-<seq>`. Ours are `<position>-0`; the original's begin with a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    pub ms: i64,
    pub seq: i64,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

impl FromStr for Id {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let part = |text: &str| text.parse::<i64>().ok().filter(|n| *n >= 0);
        let parts = text.split_once('-').and_then(|(ms, seq)| Some((part(ms)?, part(seq)?)));
        parts.map(|(ms, seq)| Self { ms, seq }).context("not the id of a stream's entry")
    }
}

/// An entry of a stream, as a consumer gets it.
#[derive(Clone, Debug)]
#[expect(clippy::struct_field_names, reason = "event_id is the name on the wire")]
pub struct Event {
    pub id: Id,
    /// The entry before it; the original's entries do not say.
    pub prev: Option<Id>,
    /// The same wherever and however often it is delivered; the original's entries have none.
    pub event_id: Option<Uuid>,
    /// The service that published it; the original's entries do not say.
    pub source: Option<String>,
    /// When it happened; for the original's entries, when they were written to the stream.
    pub occurred_at: DateTime<Utc>,
    /// The version of the payload's shape, from 1.
    pub version: i16,
    pub traceparent: Option<String>,
    /// The entity as JSON.
    pub message: String,
}

/// The version of payloads that this service understands.
const VERSION: i16 = 1;

impl Event {
    /// Refuses a payload whose shape may have changed in ways that this service does not know.
    pub fn check_version(&self) -> Result<(), Failure> {
        match self.version {
            ..=VERSION => Ok(()),
            later => Err(Failure::Permanent(format!("version {later} of the payload is not known here"))),
        }
    }
}

/// Why an event could not be applied, which decides what happens to it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Something is away: tried again for ever.
    #[error("{0}")]
    Transient(String),
    /// It will never work: parked at once.
    #[error("{0}")]
    Permanent(String),
    /// It may or may not work: parked after some tries.
    #[error("{0}")]
    Unknown(String),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        meters::count_timeout(&error);
        let words = error.to_string();
        match &error {
            error if is_transient(error) => Self::Transient(words),
            // 22: the data itself is not what a column can hold.
            sqlx::Error::Database(cause) if cause.code().is_some_and(|c| c.starts_with("22")) => Self::Permanent(words),
            _ => Self::Unknown(words),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Permanent(format!("the message cannot be decoded: {error}"))
    }
}

impl From<redis::RedisError> for Failure {
    fn from(error: redis::RedisError) -> Self {
        Self::Transient(error.to_string())
    }
}

/// The work of a processor: it succeeds with all events of a batch, or with none.
pub type Effect<'a> = BoxFuture<'a, Result<(), Failure>>;

/// What a service does with the events of a stream. A function that applies a batch is one.
pub trait Processor: Send + Sync + 'static {
    /// Is done before the transaction begins: the place for calls over the network.
    fn prepare<'a>(&'a self, _events: &'a [Event]) -> Effect<'a> {
        Box::pin(ready(Ok(())))
    }

    /// Applies a batch in the order of the stream, in the transaction that moves the watermark.
    fn apply<'a>(&'a self, tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a>;
}

impl<F> Processor for F
where
    F: for<'a> Fn(&'a mut PgTransaction<'static>, &'a [Event]) -> Effect<'a> + Send + Sync + 'static,
{
    fn apply<'a>(&'a self, tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
        self(tx, events)
    }
}

/// A stream that a service consumes, and what it does with its events.
#[derive(Clone)]
pub struct Subscription {
    pub stream: &'static str,
    pub processor: Arc<dyn Processor>,
    /// Events that are read at once, and applied in one transaction, at most: fewer where each is much work.
    pub batch: usize,
}

impl Subscription {
    /// A stream and its processor.
    pub fn new(stream: &'static str, processor: impl Processor) -> Self {
        Self { stream, processor: Arc::new(processor), batch: BATCH }
    }
}

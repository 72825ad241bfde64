//! How far publishing and consuming are behind, and what is counted about events, stream by stream.
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use redis::AsyncCommands;
use serde::Serialize;

use crate::core::app::App;
use crate::core::events::inbox::{Entries, decode};
use crate::core::events::relay::last_id;
use crate::core::events::{Event, Id};

/// Counters of a stream that the service publishes.
const PUBLISHED: [&str; 4] =
    ["events_appended_total", "events_fenced_total", "events_rewound_total", "events_foreign_total"];
/// Counters of a stream that the service consumes.
const CONSUMED: [&str; 6] = [
    "events_consumed_total",
    "events_duplicate_total",
    "events_gap_total",
    "events_repaired_total",
    "events_retried_total",
    "events_parked_total",
];

/// What waits in this service, at one moment.
#[derive(Debug, Serialize)]
pub struct Backlog {
    /// Each stream that it publishes.
    pub told: Vec<OutboxBacklog>,
    /// Each stream that it consumes.
    pub heard: Vec<ConsumerLag>,
}

/// What waits in the outbox to be appended to a stream.
#[derive(Debug, PartialEq, Serialize)]
pub struct OutboxBacklog {
    pub stream: &'static str,
    /// Events.
    pub waiting: i64,
    /// For how long the first of them has waited, in seconds.
    pub age: f64,
}

/// What waits in a stream to be applied here, and what could not be.
#[derive(Debug, PartialEq, Serialize)]
pub struct ConsumerLag {
    pub stream: &'static str,
    /// Entries behind the watermark; at least that many, where the original numbered them.
    pub lag: i64,
    /// For how long the first of them has waited, in seconds.
    pub seconds: f64,
    /// Parked events.
    pub dead_letters: i64,
}

/// Asks both stores what waits; an error says which of them does not answer.
pub async fn load(app: &App, subscribed: &[&'static str]) -> anyhow::Result<Backlog> {
    let query = sqlx::query!(
        r#"select stream, count(*) as "events!", extract(epoch from now() - min(occurred_at))::float8 as "age!"
        from outbox where pos is null group by stream"#
    );
    let waiting = query.fetch_all(&app.db).await?;
    let waiting: HashMap<_, _> = waiting.into_iter().map(|row| (row.stream, (row.events, row.age))).collect();
    let told = app.publishes.iter().map(|stream| {
        let (events, age) = waiting.get(*stream).copied().unwrap_or_default();
        OutboxBacklog { stream, waiting: events, age: age.max(0.0) }
    });
    let told = told.collect();
    let parked = sqlx::query!(r#"select stream, count(*) as "events!" from dead_letter group by stream"#);
    let parked: HashMap<_, _> =
        parked.fetch_all(&app.db).await?.into_iter().map(|row| (row.stream, row.events)).collect();
    let marks = sqlx::query!("select stream, ms, seq from inbox").fetch_all(&app.db).await?;
    let marks: HashMap<_, _> = marks.into_iter().map(|row| (row.stream, Id { ms: row.ms, seq: row.seq })).collect();
    let mut heard = Vec::new();
    for &stream in subscribed {
        let watermark = marks.get(stream).copied().unwrap_or_default();
        let (lag, seconds) = lag(app, stream, watermark).await?;
        let dead_letters = parked.get(stream).copied().unwrap_or_default();
        heard.push(ConsumerLag { stream, lag, seconds, dead_letters });
    }
    Ok(Backlog { told, heard })
}

/// Shows every counter from the start: the first rewind must be seen as an increase, and not as a new counter.
pub fn start_counters(published: &[&'static str], subscribed: impl Iterator<Item = &'static str>) {
    for stream in published {
        for counter in PUBLISHED {
            metrics::counter!(counter, "stream" => *stream).increment(0);
        }
    }
    for stream in subscribed {
        for counter in CONSUMED {
            metrics::counter!(counter, "stream" => stream).increment(0);
        }
    }
}

/// Records how long after they happened the events of a batch took effect, which they did when it was committed.
pub fn record_effect(stream: &'static str, batch: &[Event], committed: DateTime<Utc>) {
    let histogram = metrics::histogram!("events_effect_seconds", "stream" => stream);
    for event in batch {
        // Clocks of two machines differ; nothing takes effect before it happens.
        histogram.record((committed - event.occurred_at).to_std().unwrap_or_default());
    }
}

/// Sets the gauges of events to what waits.
pub async fn measure(app: &App, subscribed: &[&'static str]) -> anyhow::Result<()> {
    let backlog = load(app, subscribed).await?;
    for told in backlog.told {
        gauge("events_outbox_waiting", told.stream, told.waiting);
        metrics::gauge!("events_outbox_age_seconds", "stream" => told.stream).set(told.age);
    }
    for heard in backlog.heard {
        gauge("events_dead_letters", heard.stream, heard.dead_letters);
        gauge("events_lag", heard.stream, heard.lag);
        metrics::gauge!("events_lag_seconds", "stream" => heard.stream).set(heard.seconds);
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float; counts stay far below 2^52")]
fn gauge(name: &'static str, stream: &'static str, value: i64) {
    metrics::gauge!(name, "stream" => stream).set(value as f64);
}

/// How many entries lie behind the watermark, and for how many seconds the first of them has waited.
async fn lag(app: &App, stream: &str, watermark: Id) -> anyhow::Result<(i64, f64)> {
    let mut redis = app.redis.clone();
    let behind: Entries = redis.xrange_count(stream, format!("({watermark}"), "+", 1).await?;
    let Some(first) = behind.first().and_then(|(id, fields)| decode(id, fields.as_ref())) else { return Ok((0, 0.0)) };
    let last = last_id(&mut redis, stream).await?;
    // Our ids are dense; between ids of the original, which are times, at least the first one waits.
    let entries = if last.ms < 1_000_000_000_000 { last.ms - first.id.ms + 1 } else { 1 };
    let waited = (Utc::now() - first.occurred_at).to_std().unwrap_or_default();
    Ok((entries, waited.as_secs_f64()))
}

//! How far publishing and consuming are behind, and what is counted about events, stream by stream.
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
    pub stream: String,
    /// Events.
    pub waiting: i64,
    /// For how long the first of them has waited, in seconds.
    pub age: f64,
}

/// What waits in a stream to be applied here, and what could not be.
#[derive(Debug, PartialEq, Serialize)]
pub struct ConsumerLag {
    pub stream: String,
    /// Entries behind the watermark; at least that many, where the original numbered them.
    pub lag: i64,
    /// For how long the first of them has waited, in seconds.
    pub seconds: f64,
    /// Parked events.
    pub dead_letters: i64,
}

/// Asks both stores what waits; an error says which of them does not answer.
pub async fn load(app: &App, subscribed: &[&'static str]) -> anyhow::Result<Backlog> {
    let query = sqlx::query_as!(
        OutboxBacklog,
        r#"select stream as "stream!", count(seq) as "waiting!",
            greatest(extract(epoch from now() - min(occurred_at)), 0)::float8 as "age!"
        from unnest($1::text[]) with ordinality as published (stream, place)
        left join (select stream, seq, occurred_at from outbox where pos is null) as waiting using (stream)
        group by stream, place order by place"#,
        app.publishes as _
    );
    let told = query.fetch_all(&app.db).await?;
    let query = sqlx::query!(
        r#"select stream as "stream!", coalesce(ms, 0) as "ms!", coalesce(seq, 0) as "seq!", coalesce(parked, 0) as "parked!"
        from unnest($1::text[]) with ordinality as subscribed (stream, place) left join inbox using (stream)
        left join (select stream, count(*) as parked from dead_letter group by stream) as letters using (stream)
        order by place"#,
        subscribed as _
    );
    let mut heard = Vec::new();
    for row in query.fetch_all(&app.db).await? {
        let (lag, seconds) = lag(app, &row.stream, Id { ms: row.ms, seq: row.seq }).await?;
        heard.push(ConsumerLag { stream: row.stream, lag, seconds, dead_letters: row.parked });
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
        gauge("events_outbox_waiting", &told.stream, told.waiting);
        metrics::gauge!("events_outbox_age_seconds", "stream" => told.stream).set(told.age);
    }
    for heard in backlog.heard {
        gauge("events_dead_letters", &heard.stream, heard.dead_letters);
        gauge("events_lag", &heard.stream, heard.lag);
        metrics::gauge!("events_lag_seconds", "stream" => heard.stream).set(heard.seconds);
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float; counts stay far below 2^52")]
fn gauge(name: &'static str, stream: &str, value: i64) {
    metrics::gauge!(name, "stream" => stream.to_owned()).set(value as f64);
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

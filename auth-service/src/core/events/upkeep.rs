//! Keeps outbox and streams from growing for ever, and measures how far behind everybody is.
//!
//! A stream is cut below what every group has acknowledged, never by length. The outbox keeps what was published for a
//! week, so that a stream, or a listener's database, can be restored from it; what was not published it keeps for ever.
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use redis::aio::ConnectionManager;
use redis::streams::{StreamInfoGroupsReply, StreamPendingReply, StreamRangeReply};
use redis::{AsyncCommands, ErrorKind, RedisResult, ServerErrorKind};

use super::Id;
use crate::core::App;
use crate::core::idempotency;
use crate::core::scheduler::Job;

/// How long published events stay in the outbox, in days.
const RETENTION: i32 = 7;
/// Rows removed in one statement.
const BATCH: i64 = 5_000;
/// When: every ten minutes, away from the full hour when many other things happen.
const SCHEDULE: &str = "30 3/10 * * * *";

/// The job that cuts streams and the outbox.
pub fn job() -> Job {
    Job { name: "upkeep", schedule: SCHEDULE.into(), run: |app| Box::pin(async move { tidy(&app).await }) }
}

/// Cuts all that this service tells, and forgets the answers that nobody will ask for again.
pub async fn tidy(app: &App) -> anyhow::Result<()> {
    for stream in app.service.tells {
        forget(app, stream).await?;
        trim(app, stream).await?;
    }
    wipe(app).await?;
    Ok(idempotency::forget(&app.db).await?)
}

/// Cuts a stream below the first entry that some group has not acknowledged; the number of entries removed. A stream that
/// nobody reads keeps what the outbox keeps.
pub async fn trim(app: &App, stream: &str) -> anyhow::Result<u64> {
    let mut redis = app.redis.clone();
    let needed = match needed(&mut redis, stream).await? {
        Some(needed) => Some(needed),
        None => kept(app, stream).await?,
    };
    let Some(needed) = needed else { return Ok(0) };
    let mut cut = redis::cmd("XTRIM");
    Ok(cut.arg(stream).arg("MINID").arg(needed.to_string()).query_async(&mut redis).await?)
}

/// The first entry that some group has not acknowledged; none when nobody reads the stream, or there is none.
async fn needed(redis: &mut ConnectionManager, stream: &str) -> anyhow::Result<Option<Id>> {
    let groups: StreamInfoGroupsReply = match redis.xinfo_groups(stream).await {
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError) => return Ok(None),
        reply => reply?,
    };
    let mut needed: Option<Id> = None;
    for group in groups.groups {
        let first = if group.pending > 0 {
            match redis.xpending(stream, &group.name).await? {
                StreamPendingReply::Data(pending) => pending.start_id.parse::<Id>()?,
                // Acknowledged between the two questions: what was delivered next is needed at the earliest.
                _ => group.last_delivered_id.parse()?,
            }
        } else {
            let last: Id = group.last_delivered_id.parse()?;
            Id { seq: last.seq + 1, ..last }
        };
        needed = Some(needed.map_or(first, |needed| needed.min(first)));
    }
    Ok(needed)
}

/// The first entry of a stream that the outbox still has.
async fn kept(app: &App, stream: &str) -> sqlx::Result<Option<Id>> {
    let first = sqlx::query_scalar!("select min(pos) from outbox where stream = $1", stream).fetch_one(&app.db).await?;
    Ok(first.map(|ms| Id { ms, seq: 0 }))
}

/// Removes the entries whose events were erased from the streams, where nobody needs them any more. They may be gone
/// already, or have come back with a restored Redis.
pub async fn wipe(app: &App) -> anyhow::Result<()> {
    let mut redis = app.redis.clone();
    for stream in app.service.tells {
        // An entry is needed from this number on; that of the last one which everybody has is not.
        let needed = needed(&mut redis, stream).await?.map_or(i64::MAX, |id| id.ms + i64::from(id.seq > 0));
        let mut last = 0;
        loop {
            let erased = sqlx::query_scalar!(
                r#"select pos as "pos!" from outbox where stream = $1 and erased and pos > $2 and pos < $3
                order by pos limit $4"#,
                stream,
                last,
                needed,
                BATCH
            )
            .fetch_all(&app.db)
            .await?;
            let Some(end) = erased.last() else { break };
            last = *end;
            let ids: Vec<String> = erased.iter().map(|pos| Id { ms: *pos, seq: 0 }.to_string()).collect();
            let _: u64 = redis.xdel(stream, &ids).await?;
        }
    }
    Ok(())
}

/// Removes from the outbox what was published more than [`RETENTION`] days ago.
async fn forget(app: &App, stream: &str) -> anyhow::Result<()> {
    let published = last_id(&mut app.redis.clone(), stream).await?;
    loop {
        let removed = sqlx::query!(
            "delete from outbox where seq in (
                select seq from outbox
                where stream = $1 and pos <= $2 and occurred_at < now() - make_interval(days => $3)
                order by seq limit $4)",
            stream,
            published.ms,
            RETENTION,
            BATCH
        )
        .execute(&app.db)
        .await?
        .rows_affected();
        if removed == 0 {
            return Ok(());
        }
    }
}

/// The last id of a stream; 0-0 when there is no such stream.
async fn last_id(redis: &mut ConnectionManager, stream: &str) -> anyhow::Result<Id> {
    let reply: RedisResult<redis::streams::StreamInfoStreamReply> = redis.xinfo_stream(stream).await;
    match reply {
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError) => Ok(Id::default()),
        reply => Ok(reply?.last_generated_id.parse()?),
    }
}

/// Sets the gauges of events: what waits in the outbox, what was parked, and how far behind this service is on each
/// stream that it listens to.
pub async fn measure(app: &App) -> anyhow::Result<()> {
    let waiting = sqlx::query!(
        r#"select stream, count(*) as "events!", extract(epoch from now() - min(occurred_at))::float8 as "age!"
        from outbox where pos is null group by stream"#
    )
    .fetch_all(&app.db)
    .await?;
    let waiting: HashMap<_, _> = waiting.into_iter().map(|row| (row.stream, (row.events, row.age))).collect();
    for stream in app.service.tells {
        let (events, age) = waiting.get(*stream).copied().unwrap_or_default();
        gauge("events_outbox_waiting", stream, events);
        metrics::gauge!("events_outbox_age_seconds", "stream" => *stream).set(age.max(0.0));
    }
    let parked = sqlx::query!(r#"select stream, count(*) as "events!" from dead_letter group by stream"#);
    let parked: HashMap<_, _> =
        parked.fetch_all(&app.db).await?.into_iter().map(|row| (row.stream, row.events)).collect();
    let marks = sqlx::query!("select stream, ms, seq from inbox").fetch_all(&app.db).await?;
    let marks: HashMap<_, _> = marks.into_iter().map(|row| (row.stream, Id { ms: row.ms, seq: row.seq })).collect();
    for heard in (app.service.listens)() {
        let watermark = marks.get(heard.stream).copied().unwrap_or_default();
        let (entries, seconds) = lag(app, heard.stream, watermark).await?;
        gauge("events_dead_letters", heard.stream, parked.get(heard.stream).copied().unwrap_or_default());
        gauge("events_lag", heard.stream, entries);
        metrics::gauge!("events_lag_seconds", "stream" => heard.stream).set(seconds);
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
    let behind: StreamRangeReply = redis.xrange_count(stream, format!("({watermark}"), "+", 1).await?;
    let Some(first) = behind.ids.first() else { return Ok((0, 0.0)) };
    let (first_id, last) = (first.id.parse::<Id>()?, last_id(&mut redis, stream).await?);
    let happened = first.get::<String>("occurred_at").and_then(|time| time.parse::<DateTime<Utc>>().ok());
    let happened = happened.or_else(|| DateTime::from_timestamp_millis(first_id.ms)).unwrap_or_else(Utc::now);
    // Our ids are dense; between ids of the original, which are times, at least the first one waits.
    let entries = if last.ms < 1_000_000_000_000 { last.ms - first_id.ms + 1 } else { 1 };
    let waited = (Utc::now() - happened).to_std().unwrap_or_default();
    Ok((entries, waited.as_secs_f64()))
}

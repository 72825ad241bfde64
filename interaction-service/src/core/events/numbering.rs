//! Gives the events of a stream their numbers: densely, each once, under the stream's lock.
//!
//! Numbers go on from the last one given out. Only when the stream is further than that, another service has written to it:
//! the original one, which ours replaced, or this service before its Postgres was restored from a backup. Then the
//! stream itself shows which of the outbox's events it has (they carry their id), and numbering goes on behind it.
use redis::AsyncCommands;
use serde_json::value::RawValue;
use sqlx::types::Json;
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::events::Id;
use crate::core::events::inbox::{Entries, field};
use crate::core::events::outbox::{BATCH, NumberedEvent};
use crate::core::ground::redis::Redis;

/// Entries read in one go, when another service has written to the stream.
const SCAN_PAGE: usize = 1000;

/// What numbering has come to.
pub struct Numbering {
    /// The last number given out in this stream before.
    pub before: i64,
    /// The events that have the numbers behind it now; there may be more of them when they are [`BATCH`].
    pub events: Vec<NumberedEvent>,
}

/// How far numbers were given out in a stream.
struct State {
    last_pos: i64,
    last_id: String,
    confirmed_pos: i64,
}

/// Numbers the events of a stream that have no number yet; `last` is the stream's last id.
pub async fn number(db: &PgPool, redis: &mut Redis, stream: &str, last: Id) -> anyhow::Result<Numbering> {
    let mut tx = db.begin().await?;
    let mut state = lock(&mut tx, stream).await?;
    if last.ms > state.last_pos {
        // Redis is asked, and meanwhile no transaction is open.
        tx.rollback().await?;
        adopt_stream(db, redis, stream, last, &state).await?;
        tx = db.begin().await?;
        state = lock(&mut tx, stream).await?;
    }
    // A statement of its own, with a snapshot taken after the lock: else two relays give the same numbers out.
    let query = sqlx::query_as!(
        NumberedEvent,
        r#"with batch as (
            select seq, slot, row_number() over (order by seq) as place
            from (select seq, slot from outbox where stream = $1 and pos is null order by seq limit $5) as unnumbered
        ), numbered as (
            update outbox set pos = $2 + batch.place,
                prev = case batch.place when 1 then $3 else ($2 + batch.place - 1) || '-0' end
            from batch where outbox.slot = batch.slot and outbox.seq = batch.seq
            returning pos, message, event_id, prev, occurred_at, version, traceparent
        ), given_out as (
            update relay_state set last_pos = numbers.last, last_id = numbers.last || '-0',
                confirmed_pos = greatest(confirmed_pos, $4)
            from (select max(pos) as last from numbered) as numbers
            where stream = $1 and numbers.last is not null
        )
        select pos || '-0' as "id!", prev as "prev!", event_id, version, occurred_at,
            traceparent, message as "message: Json<Box<RawValue>>"
        from numbered order by pos"#,
        stream,
        state.last_pos,
        state.last_id,
        last.ms,
        BATCH
    );
    let events = query.fetch_all(&mut *tx).await?;
    tx.commit().await?;
    Ok(Numbering { before: state.last_pos, events })
}

/// Locks the numbers of a stream until the transaction ends. By this lock alone each is given out once: a key holds them unique in
/// one part of the outbox, and not over all.
async fn lock(tx: &mut PgTransaction<'_>, stream: &str) -> sqlx::Result<State> {
    // A row is locked by being written, whether it is new or not.
    let query = sqlx::query_as!(
        State,
        "insert into relay_state (stream) values ($1) on conflict (stream) do update set stream = excluded.stream
        returning last_pos, last_id, confirmed_pos",
        stream
    );
    query.fetch_one(&mut **tx).await
}

/// What of the outbox is found in a stream: ids of events, their numbers and the ids before them.
#[derive(Default)]
struct Found {
    events: Vec<Uuid>,
    numbers: Vec<i64>,
    before: Vec<String>,
}

/// Takes over a stream that is further than any number given out.
async fn adopt_stream(db: &PgPool, redis: &mut Redis, stream: &str, last: Id, state: &State) -> anyhow::Result<()> {
    let given_out = state.last_pos;
    // Up to the last of our entries that is still there, the stream has, or had, everything.
    let ours: Entries = redis.xrevrange_count(stream, format!("{given_out}-0"), "-", 1).await?;
    let known = ours.first().map_or(Ok(state.confirmed_pos), |(id, _)| id.parse::<Id>().map(|id| id.ms))?;
    let found = find_events(redis, stream, known, last).await?;
    if given_out > 0 {
        metrics::counter!("events_foreign_total", "stream" => stream.to_owned()).increment(1);
        tracing::error!(
            stream,
            given_out,
            last = %last,
            published = found.events.len(),
            "another service has written to the stream; numbering goes on behind it"
        );
    }
    let mut tx = db.begin().await?;
    lock(&mut tx, stream).await?;
    let query = sqlx::query!(
        "update relay_state set last_pos = $3, last_id = $4, confirmed_pos = $3 where stream = $1 and last_pos = $2",
        stream,
        given_out,
        last.ms,
        last.to_string()
    );
    if query.execute(&mut *tx).await?.rows_affected() == 0 {
        // Another relay was faster.
        return Ok(());
    }
    // What was erased is missing because every group had read it, and not because Redis lost it.
    let query = sqlx::query!(
        "update outbox set pos = null, prev = null where stream = $1 and pos > $2 and not erased",
        stream,
        known
    );
    query.execute(&mut *tx).await?;
    let query = sqlx::query!(
        "update outbox set pos = found.number, prev = found.before
        from unnest($2::uuid[], $3::bigint[], $4::text[]) as found (event_id, number, before)
        where outbox.stream = $1 and outbox.event_id = found.event_id and outbox.pos is null",
        stream,
        &found.events,
        &found.numbers,
        &found.before
    );
    query.execute(&mut *tx).await?;
    Ok(tx.commit().await?)
}

/// The entries behind a number that carry the id of an event.
async fn find_events(redis: &mut Redis, stream: &str, known: i64, last: Id) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let mut after = Id { ms: known, seq: 0 };
    loop {
        let page: Entries = redis.xrange_count(stream, format!("({after}"), last.to_string(), SCAN_PAGE).await?;
        let Some((end, _)) = page.last() else { return Ok(found) };
        after = end.parse()?;
        for (id, fields) in page.iter().filter_map(|(id, fields)| Some((id, fields.as_ref()?))) {
            let id: Id = id.parse()?;
            let event = field(fields, "event_id").and_then(|text| text.parse().ok());
            if let (Some(event), Some(prev), 0) = (event, field(fields, "prev"), id.seq) {
                found.events.push(event);
                found.numbers.push(id.ms);
                found.before.push(prev.to_owned());
            }
        }
    }
}

//! The relay: carries the outbox to Redis, each event once, in order, without a hole.
//!
//! It numbers the events of a stream densely, in a short transaction under the stream's lock, and then appends them with
//! these numbers as entry ids, in one script that appends only when the stream's last id is the number before. Whatever
//! happened to an earlier try, the stream's last id tells: an append whose answer was lost is found done; a stream that
//! lost its tail, or everything, is shorter and gets it again from the outbox. Two relays at once do no harm: one of
//! them finds the stream further than it thought. "Published" is therefore no mark in a row but a number in Redis.
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::LazyLock;
use std::time::Duration;

use redis::Script;
use redis::aio::ConnectionManager;
use sqlx::PgPool;
use tokio::sync::Notify;

use super::Id;
use super::numbering::number;
use crate::core::App;
use crate::core::worker::{Outcome, Worker};

/// Events appended in one go.
const BATCH: i64 = 500;
/// The size of one append, in bytes of messages; the first event goes whatever its size.
const BATCH_BYTES: usize = 1024 * 1024;
/// How long after the last event the relay still polls quickly, for events of other replicas.
const POLL: Duration = Duration::from_millis(100);
/// How often an idle relay looks whether Redis still has what it was given.
const IDLE_POLL: Duration = Duration::from_secs(1);

/// Appends ARGV[3…] (id, then eight fields' values) behind ARGV[1]; without entries it only tells the last id.
/// The answer is the stream's last id, and whether the entries were appended.
static APPEND: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local last = '0-0'
        if redis.call('EXISTS', KEYS[1]) == 1 then
            local info = redis.call('XINFO', 'STREAM', KEYS[1])
            for i = 1, #info, 2 do
                if info[i] == 'last-generated-id' then last = info[i + 1] end
            end
        end
        if last ~= ARGV[1] then return {0, last} end
        local width = 7
        for i = 3, #ARGV, width do
            local entry = {'message', ARGV[i + 1], 'type', 'json', 'event_id', ARGV[i + 2], 'prev', ARGV[i + 3],
                'occurred_at', ARGV[i + 4], 'source', ARGV[2], 'version', ARGV[i + 5]}
            if ARGV[i + 6] ~= '' then
                entry[#entry + 1] = 'traceparent'
                entry[#entry + 1] = ARGV[i + 6]
            end
            redis.call('XADD', KEYS[1], ARGV[i], unpack(entry))
            last = ARGV[i]
        end
        return {1, last}
        ",
    )
});

/// An event with its number, ready to be appended.
struct Numbered {
    pos: i64,
    message: String,
    event_id: uuid::Uuid,
    prev: String,
    occurred_at: crate::core::timestamp::Timestamp,
    version: i16,
    traceparent: Option<String>,
}

/// Carries the outbox of one service.
pub struct Relay {
    db: PgPool,
    redis: ConnectionManager,
    wake: Arc<Notify>,
    source: &'static str,
    streams: &'static [&'static str],
    /// The last id of each stream, as far as this relay knows; forgotten whenever it may be wrong.
    last: HashMap<&'static str, Id>,
    quick: u32,
}

impl Relay {
    /// A relay that has not looked at Redis yet.
    pub fn new(app: &App) -> Self {
        Self {
            db: app.db.clone(),
            redis: app.redis.clone(),
            wake: app.wake.clone(),
            source: app.service.name,
            streams: app.service.tells,
            last: HashMap::new(),
            quick: 0,
        }
    }

    /// Appends to a stream all that is waiting for it; the number of entries appended.
    pub async fn relay(&mut self, stream: &'static str) -> anyhow::Result<usize> {
        let outcome = self.relay_from_last(stream).await;
        if outcome.is_err() {
            // A timed-out append may have got through: ask again before the next.
            self.last.remove(stream);
        }
        outcome
    }

    async fn relay_from_last(&mut self, stream: &'static str) -> anyhow::Result<usize> {
        let mut appended = 0;
        let mut last = match self.last.get(stream) {
            Some(last) => *last,
            None => self.append(stream, Id { ms: -1, seq: 0 }, &[]).await?.1,
        };
        loop {
            number(&self.db, &mut self.redis, stream, last).await?;
            let batch = waiting(&self.db, stream, last).await?;
            let (done, true_last) = self.append(stream, last, &batch).await?;
            if done {
                appended += batch.len();
                metrics::counter!("events_appended_total", "stream" => stream).increment(batch.len() as u64);
                if batch.is_empty() {
                    self.last.insert(stream, last);
                    return Ok(appended);
                }
            } else if true_last > last {
                metrics::counter!("events_fenced_total", "stream" => stream).increment(1);
            } else {
                metrics::counter!("events_rewound_total", "stream" => stream).increment(1);
                tracing::warn!(stream, expected = %last, found = %true_last, "Redis lost the end of a stream; appending it again");
            }
            last = true_last;
        }
    }

    /// Appends a batch behind `last`; whether it did, and the stream's last id.
    async fn append(&mut self, stream: &str, last: Id, batch: &[Numbered]) -> anyhow::Result<(bool, Id)> {
        let mut call = APPEND.key(stream);
        call.arg(last.to_string()).arg(self.source);
        for event in batch {
            call.arg(Id { ms: event.pos, seq: 0 }.to_string())
                .arg(&event.message)
                .arg(event.event_id.to_string())
                .arg(&event.prev)
                .arg(event.occurred_at.to_string())
                .arg(event.version)
                .arg(event.traceparent.as_deref().unwrap_or_default());
        }
        let (done, last): (i64, String) = call.invoke_async(&mut self.redis).await?;
        Ok((done == 1, last.parse()?))
    }
}

/// The numbered events that the stream does not have yet, as many as go into one append.
async fn waiting(db: &PgPool, stream: &str, last: Id) -> anyhow::Result<Vec<Numbered>> {
    let mut batch = sqlx::query_as!(
        Numbered,
        r#"select pos as "pos!", message::text as "message!", event_id, prev as "prev!", occurred_at, version, traceparent
        from outbox where stream = $1 and pos > $2 order by pos limit $3"#,
        stream,
        last.ms,
        BATCH
    )
    .fetch_all(db)
    .await?;
    let mut bytes = 0;
    let fit = batch.iter().take_while(|event| {
        let first = bytes == 0;
        bytes += event.message.len();
        first || bytes <= BATCH_BYTES
    });
    let fit = fit.count();
    batch.truncate(fit);
    Ok(batch)
}

impl Worker for Relay {
    fn name(&self) -> String {
        "relay".into()
    }

    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let mut appended = 0;
        for stream in self.streams {
            appended += self.relay(stream).await?;
        }
        self.quick = if appended > 0 { 10 } else { self.quick.saturating_sub(1) };
        Ok(if appended > 0 { Outcome::Busy } else { Outcome::Idle })
    }

    fn pause(&self) -> Duration {
        if self.quick > 0 { POLL } else { IDLE_POLL }
    }

    fn alarm(&self) -> &Notify {
        &self.wake
    }
}

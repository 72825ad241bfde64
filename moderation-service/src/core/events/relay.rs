//! The relay publishes the outbox to Redis, each event once, in order, without a hole.
//!
//! It numbers the events of a stream densely, in a short transaction under the stream's lock, and then appends them with
//! these numbers as entry ids, in one script that appends only when the stream's last id is the number before. Whatever
//! happened to an earlier try, the stream's last id shows it: an append whose answer was lost is found done; a stream that
//! lost its tail, or everything, is shorter and gets it again from the outbox. Two relays at once do no harm: one of
//! them finds the stream further than it thought. "Published" is therefore no mark in a row but a number in Redis.
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use redis::streams::StreamInfoStreamReply;
use redis::{AsyncCommands, ErrorKind, RedisResult, Script, ServerErrorKind};

use crate::core::app::App;
use crate::core::events::Id;
use crate::core::events::numbering::number;
use crate::core::events::outbox::{BATCH, NumberedEvent, list_numbered};
use crate::core::ground::redis::Redis;
use crate::core::ground::telemetry::{spans, trace};
use crate::core::ground::worker::{Outcome, Worker};

#[cfg(test)]
mod tests;

/// The size of one append, in bytes of messages; the first event goes whatever its size.
const BATCH_BYTES: usize = 1024 * 1024;
/// How long a relay waits while there was something to publish lately, for events of other replicas.
const POLL: Duration = Duration::from_millis(100);
/// How long an idle relay waits, and how often any relay checks that Redis still has what was published.
const IDLE_POLL: Duration = Duration::from_secs(1);
/// How often it polls fast after the last event.
const FAST_POLLS: u32 = 10;

/// Appends ARGV[3…] (seven for each entry: its id and its fields' values) behind ARGV[1], or nothing
/// when the stream ends elsewhere. The answer is whether they were appended, and the stream's last id.
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

/// Publishes the outbox of one service.
pub struct Relay {
    app: App,
    redis: Redis,
    /// The last id of each stream, as far as this relay knows; forgotten whenever it may be wrong.
    last: HashMap<&'static str, Id>,
    /// When Redis was last asked for the end of every stream.
    last_full_check: Option<Instant>,
    fast_polls_left: u32,
}

impl Relay {
    /// A relay that has not asked Redis yet.
    pub fn new(app: &App) -> Self {
        let (redis, last) = (app.redis.clone(), HashMap::new());
        Self { app: app.clone(), redis, last, last_full_check: None, fast_polls_left: 0 }
    }

    /// Appends to a stream all that is waiting for it; the number of entries appended.
    pub async fn relay(&mut self, stream: &'static str) -> anyhow::Result<usize> {
        let mut appended = 0;
        // Forgotten until all is done: an append that fails, or is given up, may have got through.
        let mut last = match self.last.remove(stream) {
            Some(last) => last,
            None => last_id(&mut self.redis, stream).await?,
        };
        loop {
            let numbered = number(&self.app.db, &mut self.redis, stream, last).await?;
            let count = i64::try_from(numbered.events.len())?;
            // What was numbered before and is not in the stream comes first.
            let mut batch = if numbered.before == last.ms {
                numbered.events
            } else {
                list_numbered(&self.app.db, stream, last).await?
            };
            truncate_to_max_bytes(&mut batch);
            let begun = SystemTime::now();
            let (done, true_last) = self.append(stream, last, &batch).await?;
            if done {
                appended += batch.len();
                metrics::counter!("events_appended_total", "stream" => stream).increment(batch.len() as u64);
                for event in &batch {
                    let span = || spans::send(stream, event.event_id, batch.len()).with_start_time(begun);
                    trace::record_finished(event.traceparent.as_deref(), span);
                }
                // What was committed since then wakes the relay again.
                if batch.is_empty() || (true_last.ms >= numbered.before + count && count < BATCH) {
                    self.last.insert(stream, true_last);
                    return Ok(appended);
                }
            } else if true_last > last {
                metrics::counter!("events_fenced_total", "stream" => stream).increment(1);
            } else {
                report_rewind(stream, last, true_last);
            }
            last = true_last;
        }
    }

    /// Asks Redis for the end of every stream, once a second: what it lost must come back even if nothing new is published.
    async fn check_stream_ends(&mut self) -> anyhow::Result<()> {
        let streams = self.app.publishes;
        let all_known = streams.iter().all(|stream| self.last.contains_key(stream));
        if all_known && self.last_full_check.is_some_and(|checked| checked.elapsed() < IDLE_POLL) {
            return Ok(());
        }
        // Fails where another server is the primary by now; the connection leads there the next time.
        self.redis.runs().await?;
        for stream in streams {
            let found = last_id(&mut self.redis, stream).await?;
            if let Some(expected) = self.last.insert(stream, found).filter(|expected| *expected > found) {
                report_rewind(stream, expected, found);
            }
        }
        self.last_full_check = Some(Instant::now());
        Ok(())
    }

    /// The streams that do not end where their numbers do, or for which events wait without a number.
    async fn behind(&self) -> sqlx::Result<HashSet<String>> {
        let (streams, ends): (Vec<String>, Vec<i64>) =
            self.last.iter().map(|(stream, last)| ((*stream).to_owned(), last.ms)).unzip();
        // One index lookup per stream: with "exists", Postgres may read all that waits, which may be a lot.
        let behind = sqlx::query_scalar!(
            r#"select stream as "stream!" from unnest($1::text[], $2::bigint[]) as known (stream, ms)
            left join relay_state using (stream)
            left join lateral (
                select seq from outbox where outbox.stream = known.stream and pos is null limit 1
            ) as unnumbered on true
            where coalesce(last_pos, 0) <> ms or unnumbered.seq is not null"#,
            &streams,
            &ends
        );
        Ok(behind.fetch_all(&self.app.db).await?.into_iter().collect())
    }

    /// The one way in which a stream is written: a batch goes behind the last id that the relay knows of, or not at all. Answers
    /// whether it did, and the stream's last id. An error says nothing about either.
    async fn append(&mut self, stream: &str, last: Id, batch: &[NumberedEvent]) -> anyhow::Result<(bool, Id)> {
        let mut call = APPEND.key(stream);
        call.arg(last.to_string()).arg(self.app.name);
        for event in batch {
            call.arg(&event.id)
                .arg(event.message.get())
                .arg(event.event_id.to_string())
                .arg(&event.prev)
                .arg(event.occurred_at.to_string())
                .arg(event.version)
                .arg(event.traceparent.as_deref().unwrap_or_default());
        }
        let (done, last): (bool, String) = call.invoke_async(&mut self.redis).await?;
        Ok((done, last.parse()?))
    }
}

/// The last id of a stream; 0-0 when there is no such stream.
pub(super) async fn last_id(redis: &mut Redis, stream: &str) -> anyhow::Result<Id> {
    let reply: RedisResult<StreamInfoStreamReply> = redis.xinfo_stream(stream).await;
    match reply {
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError) => Ok(Id::default()),
        reply => Ok(reply?.last_generated_id.parse()?),
    }
}

/// Leaves as many events in a batch as go into one append.
fn truncate_to_max_bytes(batch: &mut Vec<NumberedEvent>) {
    let mut bytes = 0;
    let fits = |event: &&NumberedEvent| {
        let first = bytes == 0;
        bytes += event.message.get().len();
        first || bytes <= BATCH_BYTES
    };
    let count = batch.iter().take_while(fits).count();
    batch.truncate(count);
}

fn report_rewind(stream: &'static str, expected: Id, found: Id) {
    metrics::counter!("events_rewound_total", "stream" => stream).increment(1);
    tracing::warn!(stream, %expected, %found, "Redis lost the end of a stream; appending it again");
}

impl Worker for Relay {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        self.check_stream_ends().await?;
        let (behind, mut appended) = (self.behind().await?, 0);
        for stream in self.app.publishes.iter().filter(|stream| behind.contains(**stream)) {
            appended += self.relay(stream).await?;
        }
        if appended > 0 {
            self.fast_polls_left = FAST_POLLS;
            return Ok(Outcome::Busy);
        }
        self.fast_polls_left = self.fast_polls_left.saturating_sub(1);
        Ok(Outcome::Idle(if self.fast_polls_left > 0 { POLL } else { IDLE_POLL }))
    }
}

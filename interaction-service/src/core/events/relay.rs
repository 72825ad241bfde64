//! The relay: carries the outbox to Redis, each event once, in order, without a hole.
//!
//! It numbers the events of a stream densely, in a short transaction under the stream's lock, and then appends them with
//! these numbers as entry ids, in one script that appends only when the stream's last id is the number before. Whatever
//! happened to an earlier try, the stream's last id tells: an append whose answer was lost is found done; a stream that
//! lost its tail, or everything, is shorter and gets it again from the outbox. Two relays at once do no harm: one of
//! them finds the stream further than it thought. "Published" is therefore no mark in a row but a number in Redis.
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant, SystemTime};

use redis::aio::ConnectionManager;
use sqlx::PgPool;

use crate::core::app::App;
use crate::core::events::Id;
use crate::core::events::append::{append, end, fit};
use crate::core::events::numbering::{BATCH, Numbered, number};
use crate::core::ground::telemetry::{spans, trace};
use crate::core::ground::worker::{Outcome, Worker};

#[cfg(test)]
mod tests;

/// How long after the last event the relay still polls quickly, for events of other replicas.
const POLL: Duration = Duration::from_millis(100);
/// How long an idle relay waits, and how often any relay looks whether Redis still has what it was given.
const IDLE_POLL: Duration = Duration::from_secs(1);

/// Carries the outbox of one service.
pub struct Relay {
    db: PgPool,
    redis: ConnectionManager,
    source: &'static str,
    streams: &'static [&'static str],
    /// The last id of each stream, as far as this relay knows; forgotten whenever it may be wrong.
    last: HashMap<&'static str, Id>,
    /// When all streams were last looked at.
    looked: Option<Instant>,
    quick: u32,
}

impl Relay {
    /// A relay that has not looked at Redis yet.
    pub fn new(app: &App) -> Self {
        Self {
            db: app.db.clone(),
            redis: app.redis.clone(),
            source: app.name,
            streams: app.publishes,
            last: HashMap::new(),
            looked: None,
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
            None => end(&mut self.redis, stream).await?,
        };
        loop {
            let numbered = number(&self.db, &mut self.redis, stream, last).await?;
            let mut batch = numbered.events;
            // What was numbered before and is not in the stream comes first.
            if batch.first().map_or(numbered.last_pos, |event| event.pos - 1) != last.ms {
                batch = waiting(&self.db, stream, last).await?;
            }
            fit(&mut batch);
            let begun = SystemTime::now();
            let (done, true_last) = append(&mut self.redis, self.source, stream, last, &batch).await?;
            if done {
                appended += batch.len();
                metrics::counter!("events_appended_total", "stream" => stream).increment(batch.len() as u64);
                for event in &batch {
                    let span = || spans::send(stream, event.event_id, batch.len()).with_start_time(begun);
                    trace::tell(event.traceparent.as_deref(), span);
                }
                self.last.insert(stream, true_last);
                // What was committed since then wakes the relay again.
                if batch.is_empty() || (true_last.ms >= numbered.last_pos && !numbered.more) {
                    return Ok(appended);
                }
            } else if true_last > last {
                metrics::counter!("events_fenced_total", "stream" => stream).increment(1);
            } else {
                rewound(stream, last, true_last);
            }
            last = true_last;
        }
    }

    /// Asks Redis for the end of every stream, once in a while: what it lost must come back even if nothing new is told.
    async fn look(&mut self) -> anyhow::Result<()> {
        let known = self.streams.iter().all(|stream| self.last.contains_key(stream));
        if known && self.looked.is_some_and(|looked| looked.elapsed() < IDLE_POLL) {
            return Ok(());
        }
        for stream in self.streams {
            let found = end(&mut self.redis, stream).await?;
            if let Some(expected) = self.last.insert(stream, found).filter(|expected| *expected > found) {
                rewound(stream, expected, found);
            }
        }
        self.looked = Some(Instant::now());
        Ok(())
    }

    /// The streams that do not end where their numbers do, or for which events wait without a number.
    async fn behind(&self) -> sqlx::Result<HashSet<String>> {
        let (streams, ends): (Vec<String>, Vec<i64>) =
            self.last.iter().map(|(stream, last)| ((*stream).to_owned(), last.ms)).unzip();
        // A look into the index per stream: asked with "exists", Postgres may read all that waits, which may be a lot.
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
        Ok(behind.fetch_all(&self.db).await?.into_iter().collect())
    }
}

/// The numbered events that the stream does not have yet, as many as go into one append.
async fn waiting(db: &PgPool, stream: &str, last: Id) -> sqlx::Result<Vec<Numbered>> {
    sqlx::query_as!(
        Numbered,
        r#"select pos as "pos!", message::text as "message!", event_id, prev as "prev!",
            occurred_at, version, traceparent
        from outbox where stream = $1 and pos > $2 order by pos limit $3"#,
        stream,
        last.ms,
        BATCH
    )
    .fetch_all(db)
    .await
}

fn rewound(stream: &'static str, expected: Id, found: Id) {
    metrics::counter!("events_rewound_total", "stream" => stream).increment(1);
    tracing::warn!(stream, %expected, %found, "Redis lost the end of a stream; appending it again");
}

impl Worker for Relay {
    fn name(&self) -> String {
        "relay".into()
    }

    async fn step(&mut self) -> anyhow::Result<Outcome> {
        self.look().await?;
        let (behind, mut appended) = (self.behind().await?, 0);
        for stream in self.streams.iter().filter(|stream| behind.contains(**stream)) {
            appended += self.relay(stream).await?;
        }
        self.quick = if appended > 0 { 10 } else { self.quick.saturating_sub(1) };
        Ok(if appended > 0 { Outcome::Busy } else { Outcome::Idle })
    }

    fn pause(&self) -> Duration {
        if self.quick > 0 { POLL } else { IDLE_POLL }
    }
}

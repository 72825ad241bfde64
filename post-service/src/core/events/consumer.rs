//! The consumer: reads one stream and applies each of its events exactly once, in order.
//!
//! A batch is one transaction that first moves the stream's watermark from the entry before the batch to its last entry,
//! and then applies it; only after the commit are the entries acknowledged. If the watermark is not where the batch
//! begins, nothing is applied: it is further (the batch was applied before: acknowledge it) or it is before (entries are
//! missing: a gap). So a crash at any point, a second reader, or one that slept through its replacement changes nothing.
//! An event that fails by itself is parked in `dead_letter`, in the transaction that moves the watermark over it.
use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use chrono::{TimeDelta, Utc};
use redis::streams::StreamReadOptions;
use redis::{AsyncCommands, RedisError, ToRedisArgs};
use tokio::sync::watch;
use tracing::Instrument;

use crate::core::app::App;
use crate::core::events::inbox::{self, Entries, consecutive, move_watermark, park};
use crate::core::events::retention::RETENTION_DAYS;
use crate::core::events::{BLOCK, Event, Failure, Id, Subscription, backlog, connect_to_read, repair};
use crate::core::ground::redis::Redis;
use crate::core::ground::telemetry::{Trace, spans, trace};
use crate::core::ground::worker::{Outcome, Worker, backoff};

/// How often an event that fails for no known reason is tried.
const MAX_TRIES: u32 = 5;
/// One read in 16 begins with what is pending. A Redis that replaces another may not have its last acknowledgements, and no call
/// fails by that: the entries would stay pending, and the stream uncut, until something else failed.
const READS_PER_LOOK_AT_PENDING: u32 = 16;
/// How long one step waits for the lease.
const LEASE_WAIT: Duration = Duration::from_secs(10);

/// What a step did with what it read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing was there to read.
    Nothing,
    /// Some were applied, and some had been before.
    Applied { fresh: usize, duplicates: usize },
    /// The event at this place was parked.
    Parked(Id),
    /// Entries are missing between the watermark and this one.
    Gap { watermark: Id, found: Id },
}

/// Reads one stream for its service.
pub struct Consumer {
    app: App,
    subscription: Subscription,
    lease: watch::Receiver<bool>,
    connection: Option<Redis>,
    watermark: Option<Id>,
    /// Its own entries that were delivered and not acknowledged come first.
    pending_first: bool,
    reads: u32,
    failures: HashMap<Id, u32>,
    /// Whether the last step ended well, so that what it has left here is true.
    sound: bool,
}

impl Consumer {
    /// A consumer that works while it holds the lease.
    pub fn new(app: App, subscription: Subscription, lease: watch::Receiver<bool>) -> Self {
        let (connection, watermark, failures) = (None, None, HashMap::new());
        Self { app, subscription, lease, connection, watermark, pending_first: true, reads: 0, failures, sound: false }
    }

    /// Reads once, waiting at most `block` for something to come, and applies what it got.
    pub async fn consume(&mut self, block: Duration) -> Result<Step, Failure> {
        if !std::mem::take(&mut self.sound) {
            // It failed, or was dropped halfway; what was read and not acknowledged is pending, and comes first.
            (self.connection, self.watermark, self.pending_first) = (None, None, true);
        }
        let step = self.consume_batch(block).await?;
        self.sound = true;
        Ok(step)
    }

    async fn consume_batch(&mut self, block: Duration) -> Result<Step, Failure> {
        let entries = self.read(block).await?;
        if entries.is_empty() {
            let was_pending = std::mem::take(&mut self.pending_first);
            return Ok(if was_pending { Step::Applied { fresh: 0, duplicates: 0 } } else { Step::Nothing });
        }
        let watermark = self.watermark().await?;
        let read: Vec<Event> = entries.iter().filter_map(|(id, fields)| inbox::decode(id, fields.as_ref())).collect();
        let fresh: Vec<Event> = read.iter().filter(|event| event.id > watermark).cloned().collect();
        let old: Vec<&str> =
            entries.iter().filter(|entry| inbox::is_done(entry, watermark)).map(|(id, _)| id.as_str()).collect();
        self.acknowledge(&old).await?;
        let stream = self.subscription.stream;
        metrics::counter!("events_duplicate_total", "stream" => stream).increment(old.len() as u64);

        let whole = consecutive(watermark, &fresh);
        if whole == 0 {
            return match fresh.first() {
                Some(found) => self.close_gap(watermark, found).await,
                None => Ok(Step::Applied { fresh: 0, duplicates: old.len() }),
            };
        }
        // What this step does not come to is pending from now on, and not among what is new.
        self.pending_first |= whole < fresh.len();
        self.apply_batch(&fresh[..whole], watermark, old.len()).await
    }

    /// Applies events that follow the watermark: as many at once as the subscription takes, or, when one of them fails, each by
    /// itself up to that one.
    async fn apply_batch(&mut self, batch: &[Event], mut watermark: Id, duplicates: usize) -> Result<Step, Failure> {
        let (mut rest, mut size) = (batch, self.subscription.batch);
        while let Some(part) = rest.chunks(size).next() {
            match self.apply(part, watermark).await {
                Ok(()) => self.advance(part).await?,
                Err(Failure::Transient(cause)) => return Err(Failure::Transient(cause)),
                Err(failure) if part.len() == 1 => return self.retry_or_park(&part[0], watermark, failure).await,
                Err(_) => {
                    size = 1;
                    continue;
                }
            }
            (watermark, rest) = (part[part.len() - 1].id, &rest[part.len()..]);
        }
        Ok(Step::Applied { fresh: batch.len(), duplicates })
    }

    /// Parks an event that will never work, or that was tried often enough; else lets it be tried again.
    async fn retry_or_park(&mut self, event: &Event, watermark: Id, failure: Failure) -> Result<Step, Failure> {
        let stream = self.subscription.stream;
        if matches!(failure, Failure::Unknown(_)) {
            let tries = self.failures.entry(event.id).or_default();
            *tries += 1;
            if *tries < MAX_TRIES {
                metrics::counter!("events_retried_total", "stream" => stream).increment(1);
                return Err(failure);
            }
        }
        let mut tx = self.app.db.begin().await?;
        move_watermark(&mut tx, stream, watermark, event.id).await?;
        park(&mut tx, stream, event, &failure).await?;
        tx.commit().await?;
        let trace = event.traceparent.as_deref().and_then(trace::id_of).map(tracing::field::display);
        tracing::error!(stream, trace, id = %event.id, error = %failure, "an event was parked");
        metrics::counter!("events_parked_total", "stream" => stream).increment(1);
        self.advance(std::slice::from_ref(event)).await?;
        // The rest of its batch was delivered with it: it is pending, and not among what is new.
        self.pending_first = true;
        Ok(Step::Parked(event.id))
    }

    /// Moves the watermark over a batch and applies it, or does neither.
    async fn apply(&self, batch: &[Event], watermark: Id) -> Result<(), Failure> {
        let (Some(first), Some(last)) = (batch.first(), batch.last()) else { return Ok(()) };
        batch.iter().try_for_each(Event::check_version)?;
        let work = async {
            self.subscription.processor.prepare(batch).await?;
            let mut tx = self.app.db.begin().await?;
            move_watermark(&mut tx, self.subscription.stream, watermark, last.id).await?;
            self.subscription.processor.apply(&mut tx, batch).await?;
            self.app.commit(tx).await?;
            backlog::record_effect(self.subscription.stream, batch, Utc::now());
            Ok(())
        };
        // The work is done once and has a span in each trace that it was done for: in the first as it is, in the others when
        // it is over, with a link to the first. A failure, which is tried again, has one span.
        let (stream, group, begun) = (self.subscription.stream, self.app.group, SystemTime::now());
        let span = |event: &Event| spans::process(stream, group, event.event_id, batch.len());
        let trace = Trace::begin(first.traceparent.as_deref(), || span(first));
        let lines = tracing::error_span!("consume", stream, trace = %trace.id(), events = batch.len());
        let outcome = trace.scope(work.instrument(lines)).await;
        trace.end([], outcome.as_ref().err().map(ToString::to_string));
        if outcome.is_ok() {
            for event in &batch[1..] {
                trace.link_to(event.traceparent.as_deref(), || span(event).with_start_time(begun));
            }
        }
        outcome
    }

    async fn advance(&mut self, done: &[Event]) -> Result<(), Failure> {
        for event in done {
            self.watermark = Some(event.id);
            self.failures.remove(&event.id);
        }
        metrics::counter!("events_consumed_total", "stream" => self.subscription.stream).increment(done.len() as u64);
        let ids: Vec<_> = done.iter().map(|event| event.id.to_string()).collect();
        self.acknowledge(&ids).await
    }

    /// Entries are missing before the one that was found: they are read again from Redis, or, if Redis lost them, taken
    /// from the producer's outbox.
    async fn close_gap(&mut self, watermark: Id, found: &Event) -> Result<Step, Failure> {
        let stream = self.subscription.stream;
        metrics::counter!("events_gap_total", "stream" => stream).increment(1);
        tracing::warn!(stream, %watermark, found = %found.id, "entries are missing in a stream");
        let mut connection = self.connection().await?;
        let _: () = connection.xgroup_setid(stream, self.app.group, watermark.to_string()).await?;
        self.pending_first = false;

        let missing = match repair::fetch(&self.app, stream, found.source.as_deref(), watermark).await {
            Ok(missing) => missing,
            Err(error) => {
                tracing::error!(stream, error = format!("{error:#}"), "the stream stands still until they are there");
                return Ok(Step::Gap { watermark, found: found.id });
            }
        };
        let whole = consecutive(watermark, &missing);
        if whole > 0 {
            metrics::counter!("events_repaired_total", "stream" => stream).increment(whole as u64);
            return self.apply_batch(&missing[..whole], watermark, 0).await;
        }
        let is_recent = Utc::now() - found.occurred_at < TimeDelta::days(RETENTION_DAYS.into());
        if is_recent && missing.iter().all(|event| event.id > found.id) {
            let cause = "it follows an entry that there is not, and no producer has it in its outbox";
            return self.retry_or_park(found, watermark, Failure::Permanent(cause.into())).await;
        }
        let oldest = missing.first().unwrap_or(found);
        if watermark == Id::default()
            && let Some(before) = oldest.prev
        {
            // A new consumer, and a stream whose beginning neither Redis nor the outbox has any more.
            tracing::warn!(stream, from = %before, "the stream is heard from its oldest event that is still held");
            let mut tx = self.app.db.begin().await?;
            move_watermark(&mut tx, stream, watermark, before).await?;
            tx.commit().await?;
            self.watermark = None;
            return Ok(Step::Applied { fresh: 0, duplicates: 0 });
        }
        tracing::error!(stream, %watermark, "neither Redis nor the producer has them; an operator has to decide");
        Ok(Step::Gap { watermark, found: found.id })
    }

    async fn connection(&mut self) -> Result<Redis, RedisError> {
        if let Some(connection) = &self.connection {
            return Ok(connection.clone());
        }
        let mut connection = connect_to_read(&self.app).await?;
        // The group begins at 0: what was published before the service existed is consumed too; the watermark knows the rest.
        let created: Result<(), _> =
            connection.xgroup_create_mkstream(self.subscription.stream, self.app.group, "0").await;
        match created {
            Err(error) if error.code() != Some("BUSYGROUP") => Err(error),
            _ => Ok(self.connection.insert(connection).clone()),
        }
    }

    async fn read(&mut self, block: Duration) -> Result<Entries, Failure> {
        let (stream, group) = (self.subscription.stream, self.app.group);
        self.reads = self.reads.wrapping_add(1);
        self.pending_first |= self.reads.is_multiple_of(READS_PER_LOOK_AT_PENDING);
        let mut connection = self.connection().await?;
        let block = usize::try_from(block.as_millis()).unwrap_or(usize::MAX);
        let options = StreamReadOptions::default().group(group, stream).count(self.subscription.batch).block(block);
        let (streams, after) = ([stream], [if self.pending_first { "0" } else { ">" }]);
        let read = connection.xread_options(&streams, &after, &options);
        // A read that is given up may still have been delivered to: it is pending then, and comes first next time.
        let Some(reply) = self.app.stop.run_until_cancelled(read).await else { return Ok(Vec::new()) };
        let streams: Option<Vec<(String, Entries)>> = reply?;
        Ok(streams.into_iter().flatten().flat_map(|(_, entries)| entries).collect())
    }

    async fn acknowledge(&mut self, ids: &[impl ToRedisArgs + Send + Sync]) -> Result<(), Failure> {
        if !ids.is_empty() {
            let mut connection = self.connection().await?;
            let _: u64 = connection.xack(self.subscription.stream, self.app.group, ids).await?;
        }
        Ok(())
    }

    async fn watermark(&mut self) -> Result<Id, Failure> {
        if let Some(watermark) = self.watermark {
            return Ok(watermark);
        }
        Ok(*self.watermark.insert(inbox::watermark(&self.app.db, self.subscription.stream).await?))
    }
}

impl Worker for Consumer {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        if !*self.lease.borrow() {
            // Another replica works on the stream meanwhile.
            self.sound = false;
            tokio::select! {
                held = self.lease.wait_for(|held| *held) => { held?; }
                () = tokio::time::sleep(LEASE_WAIT) => return Ok(Outcome::Busy),
                () = self.app.stop.cancelled() => return Ok(Outcome::Busy),
            }
        }
        match self.consume(BLOCK).await? {
            Step::Gap { .. } => Ok(Outcome::Idle(backoff(u32::MAX))),
            _ => Ok(Outcome::Busy),
        }
    }
}

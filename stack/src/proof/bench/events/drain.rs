//! How fast a backlog drains: from the outbox to Redis, and from there to each consumer, one at a time.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::unistd::Pid;
use sqlx::{AssertSqlSafe, PgPool};
use tokio::time::{Instant, interval};

use crate::host::console;
use crate::proof::bench::database::ask;
use crate::proof::bench::events::backlog::{self, EVENT_KINDS, EventKind};
use crate::proof::bench::events::limits::UpperLimits;
use crate::proof::bench::events::refill;
use crate::proof::bench::platform::{MeasuredPlatform, process};
use crate::proof::bench::report::{Measurement, row};
use crate::proof::bench::resident::{mebibytes, resident_memory};
use crate::system::{ENGAGEMENT, INTERACTION, MODERATION, POST, Service};

/// How often the progress is read.
const EVERY: Duration = Duration::from_millis(20);
/// How long a drain may make no progress.
const STALL_TIMEOUT: Duration = Duration::from_mins(1);

/// Drains a backlog of every kind; the second measurement is a lost Redis, which is measured after the first kind.
pub async fn measure(platform: &mut MeasuredPlatform<'_>, events: i64) -> Result<(Measurement, Measurement)> {
    platform.base.kill(&[&POST, &MODERATION, &ENGAGEMENT].map(process)).await?;
    backlog::prepare(&platform.tables).await?;
    let (mut steps, mut lost) = (Vec::new(), None);
    for kind in &EVENT_KINDS {
        drain(platform, kind, events, &mut steps).await?;
        if lost.is_none() {
            lost = Some(refill::measure(platform, kind).await?);
        }
    }
    let all = platform.base.replicas.clone();
    platform.base.kill(&all).await?;
    let limits = UpperLimits::measure(platform, &EVENT_KINDS[0]).await?;
    let mut rows =
        vec![row(["stream", "from → to", "events/s", "upper limit", "share", "memory at a tenth", "most memory"])];
    rows.extend(steps.iter().map(|step| step.row(&limits)));
    let description = format!(
        "{events} events wait for a service that was down: for the interaction service's relay in its outbox, then for \
         each consumer in Redis; every service drains alone, in one process. The time runs from its first batch to its \
         last. Events are about 1,000 posts and of 10,000 people in turn, so that nothing in a batch coincides. Memory \
         is what the process holds (resident) after a tenth of the backlog, and at most. The upper limit, measured afterwards \
         while no service runs, is for the relay the same entries by `XADD` in pipelines of 500, and for the post service one \
         update of 500 posts and its commit, again and again: neither would notice that an event is lost or comes twice."
    );
    let drain = Measurement { title: format!("A backlog of {events} events"), description, rows };
    Ok((drain, lost.context("nothing was drained")?))
}

/// One way of the events of a stream, from the outbox or to a consumer.
struct Step {
    stream: &'static str,
    consumer: Option<&'static str>,
    result: DrainResult,
}

impl Step {
    fn row(&self, limits: &UpperLimits) -> Vec<String> {
        let (way, limit) = match self.consumer {
            None => ("outbox → Redis".to_owned(), Some(limits.append)),
            Some(noun) => (format!("Redis → {noun}"), (noun == POST.noun).then_some(limits.update)),
        };
        let rate = self.result.rate();
        // Empty where it is not known.
        let [limit, share] =
            limit.map_or_else(Default::default, |limit| [format!("{limit:.0}"), format!("{:.2}", rate / limit)]);
        let DrainResult { at_a_tenth, most, .. } = self.result;
        row([self.stream, &way, &format!("{rate:.0}"), &limit, &share, &mebibytes(at_a_tenth), &mebibytes(most)])
    }
}

/// One kind: the relay first, then each consumer.
async fn drain(
    platform: &mut MeasuredPlatform<'_>,
    kind: &EventKind,
    events: i64,
    steps: &mut Vec<Step>,
) -> Result<()> {
    let stream = kind.stream;
    console::info(format_args!("Backlog: {events} events of {stream}"));
    let producer = process(&INTERACTION);
    platform.base.kill(&[producer]).await?;
    let from = backlog::write(&platform.tables, stream, events).await?;
    let range = (from, from + events);
    let mut redis = platform.redis().await?;
    platform.base.start(&[producer]).await?;
    let result = watch(platform.base.pid(producer)?, range, async || redis.last_number(stream).await).await?;
    steps.push(Step { stream, consumer: None, result });
    for service in kind.consumers {
        let consumer = process(service);
        platform.base.start(&[consumer]).await?;
        let tables = platform.tables.clone();
        let result =
            watch(platform.base.pid(consumer)?, range, async || watermark(&tables, service, stream).await).await?;
        steps.push(Step { stream, consumer: Some(service.noun), result });
        platform.base.kill(&[consumer]).await?;
    }
    Ok(())
}

async fn watermark(tables: &PgPool, consumer: &Service, stream: &str) -> Result<i64> {
    let query = format!("select coalesce(max(ms), 0) from {}.inbox where stream = $1", consumer.noun);
    let (mark,): (i64,) = ask(AssertSqlSafe(query)).bind(stream.to_owned()).fetch_one(tables).await?;
    Ok(mark)
}

#[derive(Debug, PartialEq)]
struct DrainResult {
    /// After the first batch.
    events: i64,
    took: Duration,
    /// The memory of the process in bytes when a tenth was done, and the most that it ever held.
    at_a_tenth: Option<u64>,
    most: Option<u64>,
}

impl DrainResult {
    /// Events per second.
    fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "backlogs are far below 2^52")]
        let events = self.events as f64;
        events / self.took.as_secs_f64()
    }
}

/// Watches a process go from one number to another.
async fn watch(pid: Pid, range: (i64, i64), mut progress: impl AsyncFnMut() -> Result<i64>) -> Result<DrainResult> {
    let (mut turns, mut drain) = (interval(EVERY), DrainProgress::begin(range, Instant::now()));
    loop {
        turns.tick().await;
        let at = progress().await?;
        if let Some(result) = drain.update(at, Instant::now(), resident_memory(pid))? {
            return Ok(result);
        }
    }
}

struct DrainProgress {
    range: (i64, i64),
    /// The first number after the beginning, and the last change.
    first: Option<(i64, Instant)>,
    changed: (i64, Instant),
    at_a_tenth: Option<u64>,
    most: Option<u64>,
}

impl DrainProgress {
    fn begin(range: (i64, i64), now: Instant) -> DrainProgress {
        DrainProgress { range, first: None, changed: (range.0, now), at_a_tenth: None, most: None }
    }

    /// Records a number and the memory of the process; the result, when it is done.
    fn update(&mut self, at: i64, now: Instant, memory: Option<u64>) -> Result<Option<DrainResult>> {
        let (from, to) = self.range;
        if at > self.changed.0 {
            self.changed = (at, now);
        } else if now - self.changed.1 > STALL_TIMEOUT {
            bail!("it stands at {at} of {to} for {} s", STALL_TIMEOUT.as_secs());
        }
        self.most = self.most.max(memory);
        if at <= from {
            return Ok(None);
        }
        if at - from >= (to - from) / 10 {
            self.at_a_tenth = self.at_a_tenth.or(memory);
        }
        let (start, since) = *self.first.get_or_insert((at, now));
        let (at_a_tenth, most) = (self.at_a_tenth, self.most);
        Ok((at >= to).then(|| DrainResult { events: to - start, took: now - since, at_a_tenth, most }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_runs_from_the_first_batch_to_the_last() {
        let (range, begin) = ((7, 5007), Instant::now());
        let mut drain = DrainProgress::begin(range, begin);
        // No progress at first, as while a service starts; then 500 with every turn, and some memory each time.
        for turn in 0..20_u32 {
            let done = u64::from(turn.saturating_sub(9));
            let at = 7 + i64::try_from(done).unwrap() * 500;
            let result = drain.update(at, begin + EVERY * turn, Some(done)).unwrap();
            let expected = DrainResult { events: 4500, took: EVERY * 9, at_a_tenth: Some(1), most: Some(10) };
            assert_eq!(result, (turn == 19).then_some(expected));
        }
    }

    #[test]
    fn a_drain_that_stands_still_is_given_up() {
        let begin = Instant::now();
        let mut drain = DrainProgress::begin((0, 10), begin);
        assert_eq!(drain.update(5, begin, None).unwrap(), None);
        let error = drain.update(5, begin + STALL_TIMEOUT * 2, None).unwrap_err();
        assert_eq!(error.to_string(), "it stands at 5 of 10 for 60 s");
    }
}

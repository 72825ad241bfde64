//! How fast a backlog drains: from the outbox to Redis, and from there to each listener, one at a time.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::unistd::Pid;
use sqlx::{AssertSqlSafe, PgPool};
use tokio::time::{Instant, interval};

use crate::host::console;
use crate::proof::bench::database::ask;
use crate::proof::bench::events::backlog::{KINDS, Kind};
use crate::proof::bench::events::bounds::Bounds;
use crate::proof::bench::events::{backlog, refill};
use crate::proof::bench::memory::{mebibytes, resident};
use crate::proof::bench::platform::Platform;
use crate::proof::bench::section::{Part, row};
use crate::proof::redis::Redis;
use crate::system::{ENGAGEMENT, INTERACTION, MODERATION, POST, SERVICES, Service};

/// How often it is looked how far a backlog has drained.
const EVERY: Duration = Duration::from_millis(20);
/// How long a drain may make no progress.
const PATIENCE: Duration = Duration::from_mins(1);

/// Drains a backlog of every kind; what that says, and what a lost Redis says, which is measured behind the first.
pub async fn measure(platform: &mut Platform<'_>, events: i64) -> Result<(Part, Part)> {
    platform.kill(&[POST, MODERATION, ENGAGEMENT]).await?;
    backlog::prepare(&platform.tables).await?;
    let (mut steps, mut lost) = (Vec::new(), None);
    for kind in &KINDS {
        drain(platform, kind, events, &mut steps).await?;
        if lost.is_none() {
            lost = Some(refill::measure(platform, kind).await?);
        }
    }
    platform.kill(&SERVICES).await?;
    let bounds = Bounds::measure(platform, &KINDS[0]).await?;
    let mut rows = vec![row(["stream", "from → to", "events/s", "bound", "share", "memory at a tenth", "most memory"])];
    rows.extend(steps.iter().map(|step| step.row(&bounds)));
    let says = format!(
        "{events} events wait for a service that was down: for the interaction service's relay in its outbox, then for \
         each listener in Redis; every service drains alone, in one process. The clock runs from its first batch to its \
         last. Events are about 1,000 posts and of 10,000 people in turn, so that nothing in a batch falls together. Memory \
         is what the process holds (resident) after a tenth of the backlog, and at most. The bound, measured afterwards while no \
         service runs, is for the relay the same entries by `XADD` in pipelines of 500, and for the post service one update of \
         500 posts and its commit, again and again: neither would notice that an event is lost or comes twice."
    );
    let part = Part { title: format!("A backlog of {events} events"), says, rows };
    Ok((part, lost.context("nothing was drained")?))
}

/// One way of the events of a stream, from the outbox or to a listener.
struct Step {
    stream: &'static str,
    listener: Option<&'static str>,
    drained: Drained,
}

impl Step {
    fn row(&self, bounds: &Bounds) -> Vec<String> {
        let (way, bound) = match self.listener {
            None => ("outbox → Redis".to_owned(), Some(bounds.append)),
            Some(noun) => (format!("Redis → {noun}"), (noun == POST.noun).then_some(bounds.update)),
        };
        let [bound, share] = Bounds::row(bound, self.drained.rate());
        let Drained { at_a_tenth, most, .. } = self.drained;
        let rate = format!("{:.0}", self.drained.rate());
        row([self.stream, &way, &rate, &bound, &share, &mebibytes(at_a_tenth), &mebibytes(most)])
    }
}

/// One kind: the relay first, then each listener.
async fn drain(platform: &mut Platform<'_>, kind: &Kind, events: i64, steps: &mut Vec<Step>) -> Result<()> {
    let stream = kind.stream;
    console::tell(format_args!("Backlog: {events} events of {stream}"));
    platform.kill(&[INTERACTION]).await?;
    let from = backlog::write(&platform.tables, kind, events).await?;
    let way = (from, from + events);
    let mut redis = platform.redis().await?;
    platform.start_services(&[INTERACTION]).await?;
    let drained = watch(platform.pid(&INTERACTION)?, way, async || last_id(&mut redis, stream).await).await?;
    steps.push(Step { stream, listener: None, drained });
    for listener in kind.listeners {
        platform.start_services(std::slice::from_ref(listener)).await?;
        let tables = platform.tables.clone();
        let drained = watch(platform.pid(listener)?, way, async || watermark(&tables, listener, stream).await).await?;
        steps.push(Step { stream, listener: Some(listener.noun), drained });
        platform.kill(std::slice::from_ref(listener)).await?;
    }
    Ok(())
}

/// The number of the last entry of a stream.
pub async fn last_id(redis: &mut Redis, stream: &str) -> Result<i64> {
    let Some(id) = redis.last_id(stream).await? else { return Ok(0) };
    let number = id.split('-').next().and_then(|number| number.parse().ok());
    number.with_context(|| format!("{id} is no id of ours"))
}

async fn watermark(tables: &PgPool, listener: &Service, stream: &str) -> Result<i64> {
    let question = format!("select coalesce(max(ms), 0) from {}.inbox where stream = $1", listener.noun);
    let (mark,): (i64,) = ask(AssertSqlSafe(question)).bind(stream.to_owned()).fetch_one(tables).await?;
    Ok(mark)
}

/// How a backlog went away.
#[derive(Debug, PartialEq)]
struct Drained {
    /// Behind the first batch.
    events: i64,
    took: Duration,
    /// The memory of the process when a tenth was done, and the most that it ever held.
    at_a_tenth: Option<u64>,
    most: Option<u64>,
}

impl Drained {
    /// Events per second.
    fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "backlogs are far below 2^52")]
        let events = self.events as f64;
        events / self.took.as_secs_f64()
    }
}

/// Looks on while a process goes from one number to another.
async fn watch(pid: Pid, way: (i64, i64), mut progress: impl AsyncFnMut() -> Result<i64>) -> Result<Drained> {
    let (mut turns, mut watch) = (interval(EVERY), Watch::begin(way, Instant::now()));
    loop {
        turns.tick().await;
        let at = progress().await?;
        if let Some(drained) = watch.look(at, Instant::now(), resident(pid))? {
            return Ok(drained);
        }
    }
}

/// What was seen so far.
struct Watch {
    way: (i64, i64),
    /// The first number behind the beginning, and the last one at which it moved.
    first: Option<(i64, Instant)>,
    moved: (i64, Instant),
    at_a_tenth: Option<u64>,
    most: Option<u64>,
}

impl Watch {
    fn begin(way: (i64, i64), now: Instant) -> Watch {
        Watch { way, first: None, moved: (way.0, now), at_a_tenth: None, most: None }
    }

    /// Notes where it is and how much memory it holds; how it went, when it is through.
    fn look(&mut self, at: i64, now: Instant, held: Option<u64>) -> Result<Option<Drained>> {
        let (from, to) = self.way;
        if at > self.moved.0 {
            self.moved = (at, now);
        } else if now - self.moved.1 > PATIENCE {
            bail!("it stands at {at} of {to} for {} s", PATIENCE.as_secs());
        }
        self.most = self.most.max(held);
        if at <= from {
            return Ok(None);
        }
        if at - from >= (to - from) / 10 {
            self.at_a_tenth = self.at_a_tenth.or(held);
        }
        let (start, since) = *self.first.get_or_insert((at, now));
        let (at_a_tenth, most) = (self.at_a_tenth, self.most);
        Ok((at >= to).then(|| Drained { events: to - start, took: now - since, at_a_tenth, most }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_runs_from_the_first_batch_to_the_last() {
        let (way, begin) = ((7, 5007), Instant::now());
        let mut watch = Watch::begin(way, begin);
        // Nothing for some looks, as while a service starts; then 500 with every look, and some memory each time.
        for look in 0..20_u32 {
            let done = u64::from(look.saturating_sub(9));
            let at = 7 + i64::try_from(done).unwrap() * 500;
            let drained = watch.look(at, begin + EVERY * look, Some(done)).unwrap();
            let expected = Drained { events: 4500, took: EVERY * 9, at_a_tenth: Some(1), most: Some(10) };
            assert_eq!(drained, (look == 19).then_some(expected));
        }
    }

    #[test]
    fn a_drain_that_stands_still_is_given_up() {
        let begin = Instant::now();
        let mut watch = Watch::begin((0, 10), begin);
        assert_eq!(watch.look(5, begin, None).unwrap(), None);
        let error = watch.look(5, begin + PATIENCE * 2, None).unwrap_err();
        assert_eq!(error.to_string(), "it stands at 5 of 10 for 60 s");
    }
}

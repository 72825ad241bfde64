//! What two scrapes of a platform, one after the other, say about the time between them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::platform::metrics::{Metrics, Series};
use crate::system::Service;
use crate::traffic::top::histogram::Histogram;

/// The histogram of all requests.
const REQUESTS: &str = "http_request_duration_seconds_bucket";
/// Requests of whatever watches the services, this command included.
const WATCHING: [&str; 2] = ["/metrics", "/health/"];

/// The metrics of one process; an error when it does not answer.
pub struct Sample {
    pub service: &'static Service,
    pub metrics: Result<Metrics>,
}

/// Requests of some kind, per second.
#[derive(Debug, Default, PartialEq)]
pub struct Traffic {
    pub rate: f64,
    /// Answered with 5xx, and with 4xx.
    pub failed: f64,
    pub refused: f64,
    pub durations: Histogram,
}

impl Traffic {
    /// Adds other requests.
    pub fn include(&mut self, other: &Traffic) {
        self.rate += other.rate;
        self.failed += other.failed;
        self.refused += other.refused;
        self.durations.include(&other.durations);
    }
}

/// A stream, as its one producer and all of its consumers report it.
#[derive(Debug, Default, PartialEq)]
pub struct StreamFigures {
    /// Events appended to Redis, and effects in all consumers, per second.
    pub appended: f64,
    pub consumed: f64,
    pub outbox: f64,
    /// Entries and seconds that the slowest consumer is behind.
    pub lag: f64,
    pub lag_seconds: f64,
    pub dead_letters: f64,
}

/// The processes of one service: how many there are, and of those that answer the metrics now and, where they answered then
/// too, before.
pub struct ServiceMetrics<'a> {
    pub all: usize,
    pub processes: Vec<(&'a Metrics, Option<&'a Metrics>)>,
    seconds: f64,
}

impl<'a> ServiceMetrics<'a> {
    /// Those of a service in two scrapes of the same processes.
    pub fn of(service: &Service, before: &'a [Sample], now: &'a [Sample], seconds: f64) -> ServiceMetrics<'a> {
        let samples = || before.iter().zip(now).filter(|(_, now)| now.service == service);
        let answered =
            samples().filter_map(|(before, now)| Some((now.metrics.as_ref().ok()?, before.metrics.as_ref().ok())));
        ServiceMetrics { all: samples().count(), processes: answered.collect(), seconds }
    }

    /// A gauge by stream. Every process measures the same tables and streams, so replicas are not added up: the highest
    /// value counts.
    pub fn by_stream(&self, name: &str) -> BTreeMap<String, f64> {
        let mut highest = BTreeMap::new();
        for (series, value) in self.processes.iter().flat_map(|(now, _)| now.of(name)) {
            let found: &mut f64 = highest.entry(series.label("stream").to_owned()).or_default();
            *found = found.max(value);
        }
        highest
    }

    /// What each process has of its own, added up.
    pub fn sum(&self, name: &str, state: &str) -> f64 {
        let all = self.processes.iter().flat_map(|(now, _)| now.of(name));
        all.filter(|(series, _)| series.label("state") == state).map(|(_, value)| value).sum()
    }

    /// The growth of counters per second, in all processes that answered before.
    fn growth(&self, name: &'static str) -> impl Iterator<Item = (&Series, f64)> {
        let both = self.processes.iter().filter_map(|(now, before)| Some((now, (*before)?)));
        both.flat_map(move |(now, before)| now.growth(name, before)).map(|(series, by)| (series, by / self.seconds))
    }

    /// Adds what these processes report of streams to what other services have reported.
    pub fn add_streams(&self, streams: &mut BTreeMap<String, StreamFigures>) {
        let names = ["events_outbox_waiting", "events_lag", "events_lag_seconds", "events_dead_letters"];
        let [outbox, lag, lag_seconds, dead_letters] = names.map(|name| self.by_stream(name));
        let known: BTreeSet<&String> =
            [&outbox, &lag, &lag_seconds, &dead_letters].into_iter().flat_map(BTreeMap::keys).collect();
        for name in known {
            let of = |gauges: &BTreeMap<String, f64>| gauges.get(name).copied().unwrap_or_default();
            let stream = streams.entry(name.clone()).or_default();
            stream.outbox += of(&outbox);
            stream.dead_letters += of(&dead_letters);
            stream.lag = stream.lag.max(of(&lag));
            stream.lag_seconds = stream.lag_seconds.max(of(&lag_seconds));
        }
        for (series, by) in self.growth("events_appended_total") {
            streams.entry(series.label("stream").to_owned()).or_default().appended += by;
        }
        for (series, by) in self.growth("events_consumed_total") {
            streams.entry(series.label("stream").to_owned()).or_default().consumed += by;
        }
    }

    /// The routes that were requested, by path and method.
    pub fn routes(&self) -> Result<BTreeMap<(&str, &str), Traffic>> {
        let mut routes: BTreeMap<(&str, &str), Traffic> = BTreeMap::new();
        for (series, by) in self.growth(REQUESTS) {
            let (path, bound, status) = (series.label("route"), series.label("le"), series.label("status"));
            if WATCHING.iter().any(|route| path.starts_with(route)) {
                continue;
            }
            let traffic = routes.entry((path, series.label("method"))).or_default();
            // Also where nothing was added: the bounds below the first duration limit how long it may have been.
            traffic.durations.add(bound, by)?;
            // The bucket without end holds them all.
            if bound == "+Inf" {
                traffic.rate += by;
                match status.as_bytes().first() {
                    Some(b'5') => traffic.failed += by,
                    Some(b'4') => traffic.refused += by,
                    _ => {}
                }
            }
        }
        routes.retain(|_, traffic| traffic.rate > 0.0);
        Ok(routes)
    }
}

//! What two scrapes of a platform, one after the other, say about the time between them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use crate::platform::metrics::{Metrics, Series};
use crate::system::Service;

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
        // Not `sum`, which is -0 of nothing.
        all.filter(|(series, _)| series.label("state") == state).fold(0.0, |sum, (_, value)| sum + value)
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

/// How many durations were at most so long: upper bounds in seconds in rising order, the last without end, and counts that
/// hold those of the bounds before them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Histogram(Vec<(f64, f64)>);

impl Histogram {
    /// Counts `count` more durations up to a bound, as Prometheus writes it: `0.25`, `+Inf`.
    pub fn add(&mut self, bound: &str, count: f64) -> Result<()> {
        self.add_to(bound.parse().with_context(|| format!("{bound} is no bound of a bucket"))?, count);
        Ok(())
    }

    /// Counts the durations of another one as well.
    pub fn include(&mut self, other: &Histogram) {
        other.0.iter().for_each(|(bound, count)| self.add_to(*bound, *count));
    }

    fn add_to(&mut self, bound: f64, count: f64) {
        match self.0.binary_search_by(|(other, _)| other.total_cmp(&bound)) {
            Ok(place) => self.0[place].1 += count,
            Err(place) => self.0.insert(place, (bound, count)),
        }
    }

    /// The duration that a share `q` of all were not longer than, in seconds; none when there were none.
    ///
    /// As Prometheus' `histogram_quantile` for buckets of fixed bounds: within a bucket durations are taken to be spread
    /// evenly, the first one begins at 0, and what lies beyond the last bound counts as that bound.
    /// <https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile>
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let [bounded @ .., (end, all)] = &self.0[..] else { return None };
        if end.is_finite() || *all <= 0.0 {
            return None;
        }
        let rank = q * all;
        let place = bounded.partition_point(|(_, count)| *count < rank);
        let (last, _) = bounded.last()?;
        let Some((upper, count)) = bounded.get(place) else { return Some(*last) };
        let (lower, below) = if place == 0 { (0.0, 0.0) } else { bounded[place - 1] };
        Some(lower + (upper - lower) * (rank - below) / (count - below))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(buckets: &[(&str, f64)]) -> Histogram {
        let mut histogram = Histogram::default();
        for (bound, count) in buckets {
            histogram.add(bound, *count).unwrap();
        }
        histogram
    }

    /// The values are those that Prometheus answers: `histogram_quantile(q, rate(x_bucket[5m]))`.
    #[test]
    fn quantiles_are_those_of_prometheus() {
        let buckets = [("0.1", 50.0), ("0.2", 90.0), ("0.5", 99.0), ("1", 100.0), ("+Inf", 100.0)];
        let histogram = histogram(&buckets);
        for (q, expected) in
            [(0.25, 0.05), (0.5, 0.1), (0.7, 0.15), (0.9, 0.2), (0.95, 0.366_666), (0.99, 0.5), (0.995, 0.75)]
        {
            let found = histogram.quantile(q).unwrap();
            assert!((found - expected).abs() < 1e-5, "{q}: {found} instead of {expected}");
        }
    }

    #[test]
    fn beyond_the_last_bound_it_is_the_last_bound() {
        assert_eq!(histogram(&[("0.1", 1.0), ("1", 2.0), ("+Inf", 10.0)]).quantile(0.99), Some(1.0));
    }

    #[test]
    fn nothing_has_no_quantile() {
        assert_eq!(Histogram::default().quantile(0.5), None);
        assert_eq!(histogram(&[("0.1", 0.0), ("+Inf", 0.0)]).quantile(0.5), None);
        assert_eq!(histogram(&[("0.1", 3.0)]).quantile(0.5), None, "a bucket without end is missing");
        assert!(Histogram::default().add("x", 1.0).is_err());
    }

    #[test]
    fn buckets_of_several_series_are_one() {
        let mut sum = histogram(&[("+Inf", 1.0), ("0.1", 1.0)]);
        sum.add("0.1", 1.0).unwrap();
        sum.add("+Inf", 3.0).unwrap();
        assert_eq!(sum, histogram(&[("0.1", 2.0), ("+Inf", 4.0)]));
    }
}

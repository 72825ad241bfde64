//! The processes of one service, read together: what each of them has or does is added up, what all of them measure is not.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::traffic::top::exposition::{Metrics, Series};
use crate::traffic::top::figures::{Route, Service, Stream, Traffic};

/// The histogram of all requests.
pub const REQUESTS: &str = "http_request_duration_seconds_bucket";
/// Questions of whoever looks, this page among them: they are not what a service is for.
const LOOKS: [&str; 2] = ["/metrics", "/health/"];

/// The processes of one service that answer: what each says now, and what it said before, if it did.
pub struct Group<'a> {
    /// Between the two looks.
    pub seconds: f64,
    pub processes: Vec<(&'a Metrics, Option<&'a Metrics>)>,
}

impl Group<'_> {
    /// What they say of themselves at this moment.
    pub fn fill(&self, service: &mut Service) {
        let per_stream = |name| self.gauges(name, "stream");
        service.lag = per_stream("events_lag").values().sum();
        service.lag_seconds = per_stream("events_lag_seconds").into_values().fold(0.0, f64::max);
        service.outbox = per_stream("events_outbox_waiting").values().sum();
        service.dead_letters = per_stream("events_dead_letters").values().sum();
        service.pool = (self.sum("database_connections", "in_use"), self.sum("database_connections_max", ""));
        let memory = self.sum("process_resident_memory_bytes", "");
        service.memory = (memory > 0.0).then_some(memory);
    }

    /// A gauge by the value of a label. Every process measures the same tables and streams, so replicas are not added up:
    /// the highest is the latest to be well.
    fn gauges(&self, name: &str, label: &str) -> BTreeMap<String, f64> {
        let mut highest = BTreeMap::new();
        for (series, value) in self.processes.iter().flat_map(|(now, _)| now.of(name)) {
            let found: &mut f64 = highest.entry(series.label(label).to_owned()).or_default();
            *found = found.max(value);
        }
        highest
    }

    /// What is each process's own, added up.
    fn sum(&self, name: &str, state: &str) -> f64 {
        let all = self.processes.iter().flat_map(|(now, _)| now.of(name));
        all.filter(|(series, _)| series.label("state") == state).map(|(_, value)| value).sum()
    }

    /// By how much counters have grown in all processes that were there before, per second.
    fn growth(&self, name: &'static str) -> Vec<(&Series, f64)> {
        let both = self.processes.iter().filter_map(|(now, before)| Some((now, (*before)?)));
        both.flat_map(|(now, before)| now.growth(name, before))
            .map(|(series, by)| (series, by / self.seconds))
            .collect()
    }

    /// What these processes say of streams, added to what the other services have said.
    pub fn streams(&self, streams: &mut BTreeMap<String, Stream>) {
        let mut of = |name: &str, say: &dyn Fn(&mut Stream)| {
            let new = || Stream { name: name.to_owned(), ..Stream::default() };
            say(streams.entry(name.to_owned()).or_insert_with(new));
        };
        let gauges = |name| self.gauges(name, "stream").into_iter();
        gauges("events_outbox_waiting").for_each(|(name, value)| of(&name, &|stream| stream.outbox += value));
        gauges("events_dead_letters").for_each(|(name, value)| of(&name, &|stream| stream.dead_letters += value));
        gauges("events_lag").for_each(|(name, value)| of(&name, &|stream| stream.lag = stream.lag.max(value)));
        for (name, value) in gauges("events_lag_seconds") {
            of(&name, &|stream| stream.lag_seconds = stream.lag_seconds.max(value));
        }
        for (series, value) in self.growth("events_appended_total") {
            of(series.label("stream"), &|stream| stream.appended += value);
        }
        for (series, value) in self.growth("events_consumed_total") {
            of(series.label("stream"), &|stream| stream.consumed += value);
        }
    }

    /// Those routes that were asked for.
    pub fn routes(&self) -> Result<Vec<Route>> {
        let mut routes: BTreeMap<(&str, &str), Traffic> = BTreeMap::new();
        for (series, by) in self.growth(REQUESTS) {
            let (path, bound, status) = (series.label("route"), series.label("le"), series.label("status"));
            if LOOKS.iter().any(|look| path.starts_with(look)) {
                continue;
            }
            let traffic = routes.entry((path, series.label("method"))).or_default();
            // Also where nothing was added: the bounds below the first duration tell how long it may have been.
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
        let route = |((path, method), traffic): ((&str, &str), Traffic)| {
            let (method, path) = (method.to_owned(), path.to_owned());
            Route { service: "", method, path, traffic }
        };
        Ok(routes.into_iter().map(route).filter(|route| route.traffic.rate > 0.0).collect())
    }
}

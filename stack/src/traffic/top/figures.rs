//! What two scrapes of a platform, one after the other, say about the time between them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::platform::metrics::{Metrics, Series};
use crate::system::{self, SERVICES};
use crate::traffic::top::histogram::Histogram;

/// The histogram of all requests.
const REQUESTS: &str = "http_request_duration_seconds_bucket";
/// Requests of whatever watches the services, this command included.
const WATCHING: [&str; 2] = ["/metrics", "/health/"];

/// The metrics of one process; an error when it does not answer.
pub struct Sample {
    pub service: &'static system::Service,
    pub metrics: Result<Metrics>,
}

/// Everything that is shown.
#[derive(Debug, Default, PartialEq)]
pub struct Figures {
    pub services: Vec<ServiceFigures>,
    pub routes: Vec<RouteFigures>,
    pub streams: BTreeMap<String, StreamFigures>,
}

/// All processes of a service together.
#[derive(Debug, Default, PartialEq)]
pub struct ServiceFigures {
    pub name: &'static str,
    /// Processes that answer, and all.
    pub up: (usize, usize),
    pub traffic: Traffic,
    /// Entries that it has not applied yet, and for how many seconds the first of them has waited.
    pub lag: f64,
    pub lag_seconds: f64,
    /// Its own events that are not in Redis yet.
    pub outbox: f64,
    pub dead_letters: f64,
    /// Connections to Postgres in use, and their maximum.
    pub pool: (f64, f64),
    /// In bytes; 0 where the system does not report it.
    pub memory: f64,
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

/// A route of a service.
#[derive(Debug, PartialEq)]
pub struct RouteFigures {
    pub service: &'static str,
    pub method: String,
    pub path: String,
    pub traffic: Traffic,
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

impl Figures {
    /// What happened between two scrapes of the same processes.
    pub fn between(before: &[Sample], now: &[Sample], seconds: f64) -> Result<Figures> {
        let mut figures = Figures::default();
        for service in &SERVICES {
            let samples = || before.iter().zip(now).filter(|(_, now)| now.service == service);
            let answered =
                samples().filter_map(|(before, now)| Some((now.metrics.as_ref().ok()?, before.metrics.as_ref().ok())));
            let group = ServiceMetrics { seconds, processes: answered.collect() };
            let up = (group.processes.len(), samples().count());
            if up.1 == 0 {
                continue;
            }
            let mut total = ServiceFigures { name: service.noun, up, ..group.gauges() };
            for ((path, method), traffic) in group.routes()? {
                total.traffic.include(&traffic);
                let (service, method, path) = (service.noun, method.to_owned(), path.to_owned());
                figures.routes.push(RouteFigures { service, method, path, traffic });
            }
            figures.services.push(total);
            group.add_streams(&mut figures.streams);
        }
        Ok(figures)
    }
}

impl Traffic {
    /// Adds other requests.
    fn include(&mut self, other: &Traffic) {
        self.rate += other.rate;
        self.failed += other.failed;
        self.refused += other.refused;
        self.durations.include(&other.durations);
    }
}

/// The processes of one service that answer: their metrics now and, where they answered then too, before.
struct ServiceMetrics<'a> {
    seconds: f64,
    processes: Vec<(&'a Metrics, Option<&'a Metrics>)>,
}

impl ServiceMetrics<'_> {
    fn gauges(&self) -> ServiceFigures {
        let of_streams = |name| self.by_stream(name).into_values();
        ServiceFigures {
            lag: of_streams("events_lag").sum(),
            lag_seconds: of_streams("events_lag_seconds").fold(0.0, f64::max),
            outbox: of_streams("events_outbox_waiting").sum(),
            dead_letters: of_streams("events_dead_letters").sum(),
            pool: (self.sum("database_connections", "in_use"), self.sum("database_connections_max", "")),
            memory: self.sum("process_resident_memory_bytes", ""),
            ..ServiceFigures::default()
        }
    }

    /// A gauge by stream. Every process measures the same tables and streams, so replicas are not added up: the highest
    /// value counts.
    fn by_stream(&self, name: &str) -> BTreeMap<String, f64> {
        let mut highest = BTreeMap::new();
        for (series, value) in self.processes.iter().flat_map(|(now, _)| now.of(name)) {
            let found: &mut f64 = highest.entry(series.label("stream").to_owned()).or_default();
            *found = found.max(value);
        }
        highest
    }

    /// What each process has of its own, added up.
    fn sum(&self, name: &str, state: &str) -> f64 {
        let all = self.processes.iter().flat_map(|(now, _)| now.of(name));
        all.filter(|(series, _)| series.label("state") == state).map(|(_, value)| value).sum()
    }

    /// The growth of counters per second, in all processes that answered before.
    fn growth(&self, name: &'static str) -> impl Iterator<Item = (&Series, f64)> {
        let both = self.processes.iter().filter_map(|(now, before)| Some((now, (*before)?)));
        both.flat_map(move |(now, before)| now.growth(name, before)).map(|(series, by)| (series, by / self.seconds))
    }

    /// Adds what these processes report of streams to what other services have reported.
    fn add_streams(&self, streams: &mut BTreeMap<String, StreamFigures>) {
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
    fn routes(&self) -> Result<BTreeMap<(&str, &str), Traffic>> {
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

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;
    use crate::system::{AUTH, POST, Service};

    /// `count` requests to a route, all of them between 10 and 100 ms.
    fn requests(route: &str, status: &str, count: u32) -> String {
        let labels = format!(r#"method="GET",route="{route}",status="{status}""#);
        let bucket = |le: &str, count| format!("{REQUESTS}{{{labels},le=\"{le}\"}} {count}\n");
        [bucket("0.01", 0), bucket("0.1", count), bucket("+Inf", count)].concat()
    }

    /// The figures when two seconds lie between the first and the second texts; a process without a text is down.
    fn between(services: &[&'static Service], before: &[Option<String>], now: &[Option<String>]) -> Figures {
        let samples = |texts: &[Option<String>]| -> Vec<Sample> {
            let parse = |text: &Option<String>| Metrics::parse(text.as_ref().ok_or_else(|| anyhow!("down"))?);
            let all = services.iter().zip(texts);
            all.map(|(service, text)| Sample { service, metrics: parse(text) }).collect()
        };
        Figures::between(&samples(before), &samples(now), 2.0).unwrap()
    }

    #[test]
    fn requests_are_counted_by_route_and_scrapes_are_not() {
        let before = requests("/api/v1/posts/{id}", "200", 100);
        let now = [
            requests("/api/v1/posts/{id}", "200", 120),
            requests("/api/v1/posts/{id}", "404", 4),
            requests("/api/v1/posts", "503", 2),
            requests("/metrics", "200", 50),
            requests("/health/ready", "503", 50),
        ];
        let figures = between(&[&POST], &[Some(before)], &[Some(now.concat())]);
        let service = &figures.services[0];
        assert_eq!((service.name, service.up), ("post", (1, 1)));
        let Traffic { rate, failed, refused, durations } = &service.traffic;
        assert_eq!((*rate, *failed, *refused), (13.0, 1.0, 2.0));
        // 10 to 100 ms, spread evenly.
        assert!((durations.quantile(0.5).unwrap() - 0.055).abs() < 1e-9);
        let routes: Vec<_> = figures.routes.iter().map(|route| (route.path.as_str(), route.traffic.rate)).collect();
        assert_eq!(routes, [("/api/v1/posts", 1.0), ("/api/v1/posts/{id}", 12.0)]);
    }

    #[test]
    fn replicas_share_requests_and_memory_and_measure_the_same_streams() {
        let now = |requested, lag, seconds| {
            let events = format!(
                "events_lag{{stream=\"a\"}} {lag}\nevents_lag{{stream=\"b\"}} 1\nevents_lag_seconds{{stream=\"a\"}} {seconds}\n\
                 events_dead_letters{{stream=\"a\"}} 2\nevents_outbox_waiting{{stream=\"c\"}} 3\n\
                 database_connections{{state=\"in_use\"}} 2\ndatabase_connections{{state=\"open\"}} 5\n\
                 database_connections_max 10\nprocess_resident_memory_bytes 1000\n"
            );
            Some(requests("/x", "200", requested) + &events)
        };
        let before = Some(requests("/x", "200", 0));
        let addresses = [&POST, &POST];
        let figures = between(&addresses, &[before.clone(), before], &[now(4, 7, 0.5), now(2, 5, 0.9)]);
        let service = &figures.services[0];
        assert_eq!((service.up, service.traffic.rate), ((2, 2), 3.0));
        assert_eq!((service.lag, service.lag_seconds, service.dead_letters, service.outbox), (8.0, 0.9, 2.0, 3.0));
        assert_eq!((service.pool, service.memory), ((4.0, 20.0), 2000.0));
        let slowest = &figures.streams["a"];
        assert_eq!((slowest.lag, slowest.lag_seconds, slowest.dead_letters), (7.0, 0.9, 2.0));
    }

    #[test]
    fn a_stream_has_the_figures_of_its_producer_and_its_slowest_consumer() {
        let producer = |carried| {
            format!("events_appended_total{{stream=\"s\"}} {carried}\nevents_outbox_waiting{{stream=\"s\"}} 4\n")
        };
        let consumer = |applied, lag| {
            format!("events_consumed_total{{stream=\"s\"}} {applied}\nevents_lag{{stream=\"s\"}} {lag}\n")
        };
        let addresses = [&AUTH, &POST];
        let before = [Some(producer(10)), Some(consumer(8, 2))];
        let figures = between(&addresses, &before, &[Some(producer(16)), Some(consumer(10, 6))]);
        let expected =
            StreamFigures { appended: 3.0, consumed: 1.0, outbox: 4.0, lag: 6.0, ..StreamFigures::default() };
        assert_eq!(figures.streams, BTreeMap::from([("s".to_owned(), expected)]));
    }

    #[test]
    fn a_service_that_is_down_is_down_and_comes_back_without_a_burst() {
        let addresses = [&AUTH, &POST];
        let text = |count| Some(requests("/x", "200", count));
        let down = between(&addresses, &[text(5), text(5)], &[text(7), None]);
        assert_eq!((down.services[0].up, down.services[1].up), ((1, 1), (0, 1)));
        assert_eq!((down.services[0].traffic.rate, down.services[1].traffic.rate), (1.0, 0.0));
        let back = between(&addresses, &[text(7), None], &[text(9), text(1000)]);
        assert_eq!((back.services[1].up, back.services[1].traffic.rate), ((1, 1), 0.0));
    }
}

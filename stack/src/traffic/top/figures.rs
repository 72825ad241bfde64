//! What two looks at a platform, one after the other, say about the time between them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::traffic::top::group::Group;
use crate::traffic::top::histogram::Histogram;
use crate::traffic::top::scrape::{Address, Scrape};

/// Everything that is shown.
#[derive(Debug, Default, PartialEq)]
pub struct Figures {
    pub services: Vec<Service>,
    pub routes: Vec<Route>,
    pub streams: Vec<Stream>,
}

/// All processes of a service together.
#[derive(Debug, Default, PartialEq)]
pub struct Service {
    pub name: &'static str,
    /// Processes that answer, and all.
    pub up: (usize, usize),
    pub traffic: Traffic,
    /// Entries that it has not applied yet, and for how many seconds the first of them has waited.
    pub lag: f64,
    pub lag_seconds: f64,
    /// Its own events that are not carried to Redis yet.
    pub outbox: f64,
    pub dead_letters: f64,
    /// Connections to Postgres in use, and how many there may be.
    pub pool: (f64, f64),
    /// In bytes; none where the system does not tell.
    pub memory: Option<f64>,
}

/// Requests of some kind in the time between two looks.
#[derive(Debug, Default, PartialEq)]
pub struct Traffic {
    /// Per second.
    pub rate: f64,
    /// Answered with 5xx, and with 4xx, per second.
    pub failed: f64,
    pub refused: f64,
    pub durations: Histogram,
}

/// A route of a service.
#[derive(Debug, PartialEq)]
pub struct Route {
    pub service: &'static str,
    pub method: String,
    pub path: String,
    pub traffic: Traffic,
}

/// A stream: what its one producer and all of its consumers say.
#[derive(Debug, Default, PartialEq)]
pub struct Stream {
    pub name: String,
    /// Events carried to Redis, and effects in all consumers, per second.
    pub appended: f64,
    pub consumed: f64,
    pub outbox: f64,
    /// Entries and seconds that the slowest consumer is behind.
    pub lag: f64,
    pub lag_seconds: f64,
    pub dead_letters: f64,
}

impl Figures {
    /// Reads what happened between two scrapes of the same addresses.
    pub fn between(addresses: &[Address], before: &Scrape, now: &Scrape) -> Result<Figures> {
        let seconds = (now.at - before.at).as_secs_f64();
        let mut figures = Figures::default();
        let mut streams = BTreeMap::new();
        let services: BTreeSet<u16> = addresses.iter().map(|address| address.service.offset).collect();
        for offset in services {
            let mut group = Group { seconds, processes: Vec::new() };
            let mut service = Service::default();
            for (place, address) in addresses.iter().enumerate().filter(|(_, one)| one.service.offset == offset) {
                service.name = address.service.noun;
                service.up.1 += 1;
                if let Ok(now) = &now.answers[place] {
                    service.up.0 += 1;
                    group.processes.push((now, before.answers[place].as_ref().ok()));
                }
            }
            group.fill(&mut service);
            group.streams(&mut streams);
            let mut routes = group.routes()?;
            for route in &mut routes {
                route.service = service.name;
                service.traffic.include(&route.traffic);
            }
            figures.services.push(service);
            figures.routes.extend(routes);
        }
        figures.streams = streams.into_values().collect();
        Ok(figures)
    }
}

impl Traffic {
    /// Counts other requests as well.
    fn include(&mut self, other: &Traffic) {
        self.rate += other.rate;
        self.failed += other.failed;
        self.refused += other.refused;
        self.durations.include(&other.durations);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::anyhow;
    use tokio::time::Instant;

    use super::*;
    use crate::system::{AUTH, POST};
    use crate::traffic::top::exposition::Metrics;
    use crate::traffic::top::group::REQUESTS;

    /// `count` requests to a route, all of them between 10 and 100 ms.
    fn requests(route: &str, status: &str, count: u32) -> String {
        let labels = format!(r#"method="GET",route="{route}",status="{status}""#);
        let bucket = |le: &str, count| format!("{REQUESTS}{{{labels},le=\"{le}\"}} {count}\n");
        [bucket("0.01", 0), bucket("0.1", count), bucket("+Inf", count)].concat()
    }

    fn address(service: &'static crate::system::Service) -> Address {
        Address { service, url: "http://a".parse().unwrap() }
    }

    /// What is found when two seconds lie between the first and the second texts.
    fn between(addresses: &[Address], before: &[Option<String>], now: &[Option<String>]) -> Figures {
        let began = Instant::now();
        let scrape = |at, texts: &[Option<String>]| {
            let read = |text: &Option<String>| Metrics::read(text.as_ref().ok_or_else(|| anyhow!("down"))?);
            Scrape { at, answers: texts.iter().map(read).collect() }
        };
        Figures::between(addresses, &scrape(began, before), &scrape(began + Duration::from_secs(2), now)).unwrap()
    }

    #[test]
    fn requests_are_counted_by_route_and_looks_are_not() {
        let before = requests("/api/v1/posts/{id}", "200", 100);
        let now = [
            requests("/api/v1/posts/{id}", "200", 120),
            requests("/api/v1/posts/{id}", "404", 4),
            requests("/api/v1/posts", "503", 2),
            requests("/metrics", "200", 50),
            requests("/health/ready", "503", 50),
        ];
        let figures = between(&[address(&POST)], &[Some(before)], &[Some(now.concat())]);
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
        let addresses = [address(&POST), address(&POST)];
        let figures = between(&addresses, &[before.clone(), before], &[now(4, 7, 0.5), now(2, 5, 0.9)]);
        let service = &figures.services[0];
        assert_eq!((service.up, service.traffic.rate), ((2, 2), 3.0));
        assert_eq!((service.lag, service.lag_seconds, service.dead_letters, service.outbox), (8.0, 0.9, 2.0, 3.0));
        assert_eq!((service.pool, service.memory), ((4.0, 20.0), Some(2000.0)));
        let slowest = figures.streams.iter().find(|stream| stream.name == "a").unwrap();
        assert_eq!((slowest.lag, slowest.lag_seconds, slowest.dead_letters), (7.0, 0.9, 2.0));
    }

    #[test]
    fn a_stream_is_what_its_producer_and_its_slowest_consumer_say() {
        let producer = |carried| {
            format!("events_appended_total{{stream=\"s\"}} {carried}\nevents_outbox_waiting{{stream=\"s\"}} 4\n")
        };
        let consumer = |applied, lag| {
            format!("events_consumed_total{{stream=\"s\"}} {applied}\nevents_lag{{stream=\"s\"}} {lag}\n")
        };
        let addresses = [address(&AUTH), address(&POST)];
        let before = [Some(producer(10)), Some(consumer(8, 2))];
        let figures = between(&addresses, &before, &[Some(producer(16)), Some(consumer(10, 6))]);
        let expected =
            Stream { name: "s".into(), appended: 3.0, consumed: 1.0, outbox: 4.0, lag: 6.0, ..Stream::default() };
        assert_eq!(figures.streams, [expected]);
    }

    #[test]
    fn a_service_that_is_down_is_down_and_comes_back_without_a_burst() {
        let addresses = [address(&AUTH), address(&POST)];
        let text = |count| Some(requests("/x", "200", count));
        let down = between(&addresses, &[text(5), text(5)], &[text(7), None]);
        assert_eq!((down.services[0].up, down.services[1].up), ((1, 1), (0, 1)));
        assert_eq!((down.services[0].traffic.rate, down.services[1].traffic.rate), (1.0, 0.0));
        let back = between(&addresses, &[text(7), None], &[text(9), text(1000)]);
        assert_eq!((back.services[1].up, back.services[1].traffic.rate), ((1, 1), 0.0));
    }
}

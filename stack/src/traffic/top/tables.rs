//! The figures as tables of text.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::host::console;
use crate::system;
use crate::traffic::top::figures::{Sample, ServiceMetrics, StreamFigures, Traffic};

const SERVICES: [&str; 13] =
    ["service", "up", "req/s", "p50", "p99", "5xx", "4xx", "lag", "behind", "outbox", "dead", "pool", "mem"];
const ROUTES: [&str; 8] = ["req/s", "p50", "p99", "5xx", "4xx", "service", "method", "route"];
const STREAMS: [&str; 7] = ["stream", "published/s", "applied/s", "lag", "behind", "outbox", "dead"];

/// Routes that are listed, the busiest first.
const LISTED: usize = 15;

/// What happened between two scrapes of the same processes: services, routes and streams, as one text.
pub fn listing(before: &[Sample], now: &[Sample], seconds: f64) -> Result<String> {
    let (mut services, mut routes, mut streams) = (Vec::new(), Vec::new(), BTreeMap::new());
    for service in &system::SERVICES {
        let metrics = ServiceMetrics::of(service, before, now, seconds);
        if metrics.all == 0 {
            continue;
        }
        let mut total = Traffic::default();
        for ((path, method), traffic) in metrics.routes()? {
            total.include(&traffic);
            let mut cells = traffic_cells(&traffic).to_vec();
            cells.extend([service.noun, method, path].map(str::to_owned));
            routes.push((traffic.rate, cells));
        }
        services.push(service_row(service.noun, &metrics, &total));
        metrics.add_streams(&mut streams);
    }
    routes.sort_by(|(one, _), (two, _)| two.total_cmp(one));
    let routes = routes.into_iter().take(LISTED).map(|(_, cells)| cells).collect();
    Ok([table(&SERVICES, services), table(&ROUTES, routes), table(&STREAMS, stream_rows(streams))].join("\n"))
}

fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let head = head.iter().map(|cell| (*cell).to_owned()).collect();
    let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
    console::table(&rows) + "\n"
}

fn service_row(name: &str, metrics: &ServiceMetrics<'_>, traffic: &Traffic) -> Vec<String> {
    let up = metrics.processes.len();
    if up == 0 {
        return vec![name.to_owned(), "down".to_owned()];
    }
    let sum = |name| metrics.by_stream(name).into_values().fold(0.0, |sum, value| sum + value);
    let behind = metrics.by_stream("events_lag_seconds").into_values().fold(0.0, f64::max);
    let pool = (metrics.sum("database_connections", "in_use"), metrics.sum("database_connections_max", ""));
    let mut cells = vec![name.to_owned(), format!("{up}/{}", metrics.all)];
    cells.extend(traffic_cells(traffic));
    cells.extend([whole(sum("events_lag")), seconds(behind)]);
    cells.extend([whole(sum("events_outbox_waiting")), whole(sum("events_dead_letters"))]);
    cells.extend([format!("{:.0}/{:.0}", pool.0, pool.1), mebibytes(metrics.sum("process_resident_memory_bytes", ""))]);
    cells
}

/// Those that are furthest behind come first, then the busiest.
fn stream_rows(streams: BTreeMap<String, StreamFigures>) -> Vec<Vec<String>> {
    let mut streams: Vec<_> = streams.into_iter().collect();
    let rank = |stream: &StreamFigures| (stream.lag_seconds, stream.lag + stream.outbox, stream.appended);
    streams.sort_by(|(_, one), (_, two)| rank(two).partial_cmp(&rank(one)).unwrap_or(std::cmp::Ordering::Equal));
    let row = |(name, stream): (String, StreamFigures)| {
        let StreamFigures { appended, consumed, outbox, lag, lag_seconds, dead_letters } = stream;
        let waiting = [whole(lag), seconds(lag_seconds), whole(outbox), whole(dead_letters)];
        [name, per_second(appended), per_second(consumed)].into_iter().chain(waiting).collect()
    };
    streams.into_iter().map(row).collect()
}

fn traffic_cells(traffic: &Traffic) -> [String; 5] {
    let quantile = |q| traffic.durations.quantile(q).map_or_else(nothing, seconds);
    let share = |part| if traffic.rate > 0.0 { format!("{:.1}%", 100.0 * part / traffic.rate) } else { nothing() };
    [per_second(traffic.rate), quantile(0.5), quantile(0.99), share(traffic.failed), share(traffic.refused)]
}

fn nothing() -> String {
    "-".to_owned()
}

fn per_second(rate: f64) -> String {
    if rate < 100.0 { format!("{rate:.1}") } else { format!("{rate:.0}") }
}

fn whole(number: f64) -> String {
    format!("{number:.0}")
}

fn seconds(seconds: f64) -> String {
    match seconds {
        0.0 => "0".to_owned(),
        s if s < 0.01 => format!("{:.1}ms", 1e3 * s),
        s if s < 1.0 => format!("{:.0}ms", 1e3 * s),
        s if s < 100.0 => format!("{s:.1}s"),
        s => format!("{s:.0}s"),
    }
}

fn mebibytes(bytes: f64) -> String {
    if bytes > 0.0 { format!("{:.0}M", bytes / (1024.0 * 1024.0)) } else { nothing() }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;
    use crate::platform::metrics::Metrics;
    use crate::system::{AUTH, POST, Service};

    /// `count` requests to a route, all of them between 10 and 100 ms.
    fn requests(route: &str, status: &str, count: u32) -> String {
        let labels = format!(r#"method="GET",route="{route}",status="{status}""#);
        let bucket =
            |le: &str, count| format!("http_request_duration_seconds_bucket{{{labels},le=\"{le}\"}} {count}\n");
        [bucket("0.01", 0), bucket("0.1", count), bucket("+Inf", count)].concat()
    }

    /// The rows when two seconds lie between the first and the second texts, without heads; a process without a text is down.
    fn rows(services: &[&'static Service], before: &[Option<String>], now: &[Option<String>]) -> Vec<String> {
        let samples = |texts: &[Option<String>]| -> Vec<Sample> {
            let parse = |text: &Option<String>| Metrics::parse(text.as_ref().ok_or_else(|| anyhow!("down"))?);
            let all = services.iter().zip(texts);
            all.map(|(service, text)| Sample { service, metrics: parse(text) }).collect()
        };
        let listing = listing(&samples(before), &samples(now), 2.0).unwrap();
        let rows = listing.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        rows.filter(|row| {
            !["", "-", "serv", "req/", "stre"].contains(&row.get(..4).unwrap_or(row).trim_end_matches('-'))
        })
        .collect()
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
        assert_eq!(
            rows(&[&POST], &[Some(before)], &[Some(now.concat())]),
            [
                "post 1/1 13.0 55ms 99ms 7.7% 15.4% 0 0 0 0 0/0 -",
                "12.0 55ms 99ms 0.0% 16.7% post GET /api/v1/posts/{id}",
                "1.0 55ms 99ms 100.0% 0.0% post GET /api/v1/posts",
            ]
        );
    }

    #[test]
    fn replicas_share_requests_and_memory_and_measure_the_same_streams() {
        let now = |requested, lag, seconds| {
            let events = format!(
                "events_lag{{stream=\"a\"}} {lag}\nevents_lag{{stream=\"b\"}} 1\nevents_lag_seconds{{stream=\"a\"}} {seconds}\n\
                 events_dead_letters{{stream=\"a\"}} 2\nevents_outbox_waiting{{stream=\"c\"}} 3\n\
                 database_connections{{state=\"in_use\"}} 2\ndatabase_connections{{state=\"open\"}} 5\n\
                 database_connections_max 10\nprocess_resident_memory_bytes 1048576\n"
            );
            Some(requests("/x", "200", requested) + &events)
        };
        let before = Some(requests("/x", "200", 0));
        let found = rows(&[&POST, &POST], &[before.clone(), before], &[now(4, 7, 0.5), now(2, 5, 0.9)]);
        assert_eq!(found[0], "post 2/2 3.0 55ms 99ms 0.0% 0.0% 8 900ms 3 2 4/20 2M");
        assert_eq!(found[2..], ["a 0.0 0.0 7 900ms 0 2", "c 0.0 0.0 0 0 3 0", "b 0.0 0.0 1 0 0 0"]);
    }

    #[test]
    fn a_stream_has_the_figures_of_its_producer_and_its_slowest_consumer() {
        let producer = |appended| {
            format!("events_appended_total{{stream=\"s\"}} {appended}\nevents_outbox_waiting{{stream=\"s\"}} 4\n")
        };
        let consumer = |applied, lag| {
            format!("events_consumed_total{{stream=\"s\"}} {applied}\nevents_lag{{stream=\"s\"}} {lag}\n")
        };
        let before = [Some(producer(10)), Some(consumer(8, 2))];
        let found = rows(&[&AUTH, &POST], &before, &[Some(producer(16)), Some(consumer(10, 6))]);
        assert_eq!(found.last().unwrap(), "s 3.0 1.0 6 0 4 0");
    }

    #[test]
    fn a_service_that_is_down_is_down_and_comes_back_without_a_burst() {
        let services = [&AUTH, &POST];
        let text = |count| Some(requests("/x", "200", count));
        let down = rows(&services, &[text(5), text(5)], &[text(7), None]);
        assert_eq!(down[..2], ["auth 1/1 1.0 55ms 99ms 0.0% 0.0% 0 0 0 0 0/0 -", "post down"]);
        let back = rows(&services, &[text(7), None], &[text(9), text(1000)]);
        assert!(back[1].starts_with("post 1/1 0.0 - - "), "{back:?}");
    }
}

//! The figures as tables of text.

use crate::host::console;
use crate::traffic::top::figures::{Figures, RouteFigures, ServiceFigures, StreamFigures, Traffic};

const SERVICES: [&str; 13] =
    ["service", "up", "req/s", "p50", "p99", "5xx", "4xx", "lag", "behind", "outbox", "dead", "pool", "mem"];
const ROUTES: [&str; 8] = ["req/s", "p50", "p99", "5xx", "4xx", "service", "method", "route"];
const STREAMS: [&str; 7] = ["stream", "published/s", "applied/s", "lag", "behind", "outbox", "dead"];

/// Routes that are listed, the busiest first.
const LISTED: usize = 15;

/// Services, routes and streams, as one text.
pub fn listing(figures: &Figures) -> String {
    let table = |head: &[&str], rows: Vec<Vec<String>>| {
        let head = head.iter().map(|cell| (*cell).to_owned()).collect();
        let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
        console::table(&rows) + "\n"
    };
    let services = figures.services.iter().map(service).collect();
    [table(&SERVICES, services), table(&ROUTES, routes(figures)), table(&STREAMS, streams(figures))].join("\n")
}

fn service(service: &ServiceFigures) -> Vec<String> {
    let ServiceFigures { name, up: (up, all), traffic, lag, lag_seconds, outbox, dead_letters, pool, memory } = service;
    if *up == 0 {
        return vec![(*name).to_owned(), "down".to_owned()];
    }
    let mut cells = vec![(*name).to_owned(), format!("{up}/{all}")];
    cells.extend(traffic_cells(traffic));
    cells.extend([whole(*lag), seconds(*lag_seconds), whole(*outbox), whole(*dead_letters)]);
    cells.extend([format!("{:.0}/{:.0}", pool.0, pool.1), mebibytes(*memory)]);
    cells
}

fn routes(figures: &Figures) -> Vec<Vec<String>> {
    let mut routes: Vec<&RouteFigures> = figures.routes.iter().collect();
    routes.sort_by(|one, two| two.traffic.rate.total_cmp(&one.traffic.rate));
    let row = |route: &RouteFigures| {
        let RouteFigures { service, method, path, traffic } = route;
        let mut cells = traffic_cells(traffic).to_vec();
        cells.extend([(*service).to_owned(), method.clone(), path.clone()]);
        cells
    };
    routes.into_iter().take(LISTED).map(row).collect()
}

/// Those that are furthest behind come first, then the busiest.
fn streams(figures: &Figures) -> Vec<Vec<String>> {
    let mut streams: Vec<_> = figures.streams.iter().collect();
    let rank = |stream: &StreamFigures| (stream.lag_seconds, stream.lag + stream.outbox, stream.appended);
    streams.sort_by(|(_, one), (_, two)| rank(two).partial_cmp(&rank(one)).unwrap_or(std::cmp::Ordering::Equal));
    let row = |(name, stream): (&String, &StreamFigures)| {
        let StreamFigures { appended, consumed, outbox, lag, lag_seconds, dead_letters } = stream;
        let rates = [name.clone(), per_second(*appended), per_second(*consumed)];
        let waiting = [whole(*lag), seconds(*lag_seconds), whole(*outbox), whole(*dead_letters)];
        rates.into_iter().chain(waiting).collect()
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
    use super::*;

    /// Traffic whose requests took 0 to `longest` seconds.
    fn traffic(rate: f64, failed: f64, longest: &str) -> Traffic {
        let mut traffic = Traffic { rate, failed, ..Traffic::default() };
        traffic.durations.add(longest, rate).unwrap();
        traffic.durations.add("+Inf", rate).unwrap();
        traffic
    }

    /// A busy service, one that is down, two routes, and a stream that is behind.
    fn figures() -> Figures {
        let route =
            |path: &str, traffic| RouteFigures { service: "post", method: "GET".into(), path: path.into(), traffic };
        let post = ServiceFigures {
            name: "post",
            up: (2, 2),
            traffic: traffic(200.0, 1.0, "0.1"),
            lag: 12.0,
            lag_seconds: 0.25,
            pool: (3.0, 20.0),
            memory: 27.4 * 1024.0 * 1024.0,
            ..ServiceFigures::default()
        };
        let viewed = StreamFigures { lag: 12.0, lag_seconds: 90.0, ..StreamFigures::default() };
        let created = StreamFigures { appended: 3.0, consumed: 6.0, ..StreamFigures::default() };
        Figures {
            services: vec![post, ServiceFigures { name: "engagement", up: (0, 1), ..ServiceFigures::default() }],
            routes: vec![
                route("/api/v1/posts", traffic(50.0, 1.0, "0.1")),
                route("/api/v1/posts/{id}", traffic(150.0, 0.0, "0.01")),
            ],
            streams: [("post_created".to_owned(), created), ("post_viewed".to_owned(), viewed)].into(),
        }
    }

    #[test]
    fn the_busiest_route_and_the_stream_that_is_furthest_behind_come_first() {
        assert_eq!(
            listing(&figures()).lines().filter(|line| !line.starts_with('-')).collect::<Vec<_>>(),
            [
                "service     up    req/s  p50   p99   5xx   4xx   lag  behind  outbox  dead  pool  mem",
                "post        2/2   200    50ms  99ms  0.5%  0.0%  12   250ms   0       0     3/20  27M",
                "engagement  down",
                "",
                "req/s  p50    p99    5xx   4xx   service  method  route",
                "150    5.0ms  9.9ms  0.0%  0.0%  post     GET     /api/v1/posts/{id}",
                "50.0   50ms   99ms   2.0%  0.0%  post     GET     /api/v1/posts",
                "",
                "stream        published/s  applied/s  lag  behind  outbox  dead",
                "post_viewed   0.0          0.0        12   90.0s   0       0",
                "post_created  3.0          6.0        0    0       0       0",
            ]
        );
    }
}

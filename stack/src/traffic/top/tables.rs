//! The figures as rows of text: what the page and the plain listing have in common.

use crate::traffic::top::figures::{Figures, Route, Service, Stream, Traffic};

/// A row, and whether it needs somebody's eye.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub cells: Vec<String>,
    pub tone: Tone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Well,
    /// Something waits, or was given up.
    Warning,
    /// Something fails.
    Alarm,
}

/// What the routes are sorted by: the busiest or the slowest come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Rate,
    Median,
    Slowest,
    Failed,
    Refused,
}

impl Order {
    const ALL: [Order; 5] = [Order::Rate, Order::Median, Order::Slowest, Order::Failed, Order::Refused];

    /// The column of the routes that it is about.
    pub fn column(self) -> usize {
        ROUTES.iter().position(|head| *head == self.head()).unwrap_or_default()
    }

    fn head(self) -> &'static str {
        match self {
            Order::Rate => "req/s",
            Order::Median => "p50",
            Order::Slowest => "p99",
            Order::Failed => "5xx",
            Order::Refused => "4xx",
        }
    }

    fn of(self, traffic: &Traffic) -> f64 {
        match self {
            Order::Rate => traffic.rate,
            Order::Median => traffic.durations.quantile(0.5).unwrap_or_default(),
            Order::Slowest => traffic.durations.quantile(0.99).unwrap_or_default(),
            Order::Failed => traffic.failed,
            Order::Refused => traffic.refused,
        }
    }

    /// The order so many places to the right; behind the last comes the first.
    pub fn turned(self, places: isize) -> Order {
        let place = Order::ALL.iter().position(|order| *order == self).unwrap_or_default();
        Order::ALL[place.wrapping_add_signed(places.rem_euclid(5)) % 5]
    }
}

pub const SERVICES: [&str; 13] =
    ["service", "up", "req/s", "p50", "p99", "5xx", "4xx", "lag", "behind", "outbox", "dead", "pool", "mem"];
pub const ROUTES: [&str; 8] = ["req/s", "p50", "p99", "5xx", "4xx", "service", "method", "route"];
pub const STREAMS: [&str; 7] = ["stream", "told/s", "done/s", "lag", "behind", "outbox", "dead"];

/// Whether a column tells of requests.
pub fn is_traffic(head: &str) -> bool {
    Order::ALL.iter().any(|order| order.head() == head)
}

/// From how many seconds on an effect is late: an operator would be told of 60.
const LATE: f64 = 5.0;

pub fn services(figures: &Figures) -> Vec<Row> {
    figures.services.iter().map(service).collect()
}

fn service(service: &Service) -> Row {
    let Service { name, up: (up, all), traffic, lag, lag_seconds, outbox, dead_letters, pool, memory } = service;
    if *up == 0 {
        return Row { cells: vec![(*name).to_owned(), "down".to_owned()], tone: Tone::Alarm };
    }
    let tone = if up < all || traffic.failed > 0.0 {
        Tone::Alarm
    } else if *lag_seconds > LATE || *dead_letters > 0.0 {
        Tone::Warning
    } else {
        Tone::Well
    };
    let mut cells = vec![(*name).to_owned(), format!("{up}/{all}")];
    cells.extend(traffic_cells(traffic));
    cells.extend([whole(*lag), seconds(*lag_seconds), whole(*outbox), whole(*dead_letters)]);
    cells.extend([format!("{:.0}/{:.0}", pool.0, pool.1), memory.map_or_else(nothing, mebibytes)]);
    Row { cells, tone }
}

pub fn routes(figures: &Figures, order: Order) -> Vec<Row> {
    let mut routes: Vec<&Route> = figures.routes.iter().collect();
    routes.sort_by(|one, two| order.of(&two.traffic).total_cmp(&order.of(&one.traffic)));
    let row = |route: &&Route| {
        let Route { service, method, path, traffic } = route;
        let mut cells = traffic_cells(traffic).to_vec();
        cells.extend([(*service).to_owned(), method.clone(), path.clone()]);
        Row { cells, tone: if traffic.failed > 0.0 { Tone::Alarm } else { Tone::Well } }
    };
    routes.iter().map(row).collect()
}

/// Those that are furthest behind come first, then the busiest.
pub fn streams(figures: &Figures) -> Vec<Row> {
    let mut streams: Vec<&Stream> = figures.streams.iter().collect();
    let rank = |stream: &Stream| (stream.lag_seconds, stream.lag + stream.outbox, stream.appended);
    streams.sort_by(|one, two| rank(two).partial_cmp(&rank(one)).unwrap_or(std::cmp::Ordering::Equal));
    let row = |stream: &&Stream| {
        let Stream { name, appended, consumed, outbox, lag, lag_seconds, dead_letters } = stream;
        let counted = [per_second(*appended), per_second(*consumed), whole(*lag), seconds(*lag_seconds)];
        let mut cells = vec![name.clone()];
        cells.extend(counted.into_iter().chain([whole(*outbox), whole(*dead_letters)]));
        Row { cells, tone: if *lag_seconds > LATE || *dead_letters > 0.0 { Tone::Warning } else { Tone::Well } }
    };
    streams.iter().map(row).collect()
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
    format!("{:.0}M", bytes / (1024.0 * 1024.0))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Traffic whose requests took 0 to `longest` seconds.
    pub fn traffic(rate: f64, failed: f64, longest: &str) -> Traffic {
        let mut traffic = Traffic { rate, failed, ..Traffic::default() };
        traffic.durations.add(longest, rate).unwrap();
        traffic.durations.add("+Inf", rate).unwrap();
        traffic
    }

    /// A service that is busy, one that is down, two routes, and a stream that is behind.
    pub fn figures() -> Figures {
        let route = |path: &str, traffic| Route { service: "post", method: "GET".into(), path: path.into(), traffic };
        Figures {
            services: vec![
                Service {
                    name: "post",
                    up: (2, 2),
                    traffic: traffic(200.0, 1.0, "0.1"),
                    lag: 12.0,
                    lag_seconds: 0.25,
                    pool: (3.0, 20.0),
                    memory: Some(27.4 * 1024.0 * 1024.0),
                    ..Service::default()
                },
                Service { name: "engagement", up: (0, 1), ..Service::default() },
            ],
            routes: vec![
                route("/api/v1/posts/{id}", traffic(150.0, 0.0, "0.01")),
                route("/api/v1/posts", traffic(50.0, 1.0, "0.1")),
            ],
            streams: vec![
                Stream { name: "post_created".into(), appended: 3.0, consumed: 6.0, ..Stream::default() },
                Stream { name: "post_viewed".into(), lag: 12.0, lag_seconds: 90.0, ..Stream::default() },
            ],
        }
    }

    fn cells(rows: &[Row]) -> Vec<String> {
        rows.iter().map(|row| row.cells.join(" ")).collect()
    }

    #[test]
    fn services_are_shown_with_units_and_one_that_is_down_without_figures() {
        let rows = services(&figures());
        assert_eq!(cells(&rows), ["post 2/2 200 50ms 99ms 0.5% 0.0% 12 250ms 0 0 3/20 27M", "engagement down"]);
        assert!(rows[0].cells.len() == SERVICES.len() && rows.iter().all(|row| row.tone == Tone::Alarm));
    }

    #[test]
    fn the_busiest_or_the_slowest_routes_come_first() {
        let first = |order| cells(&routes(&figures(), order))[0].clone();
        assert_eq!(first(Order::Rate), "150 5.0ms 9.9ms 0.0% 0.0% post GET /api/v1/posts/{id}");
        assert_eq!(first(Order::Slowest), "50.0 50ms 99ms 2.0% 0.0% post GET /api/v1/posts");
        assert_eq!(first(Order::Failed), first(Order::Slowest));
    }

    #[test]
    fn streams_that_are_behind_come_first() {
        let rows = streams(&figures());
        assert_eq!(cells(&rows), ["post_viewed 0.0 0.0 12 90.0s 0 0", "post_created 3.0 6.0 0 0 0 0"]);
        assert_eq!((rows[0].tone, rows[1].tone), (Tone::Warning, Tone::Well));
    }

    #[test]
    fn orders_turn_both_ways() {
        assert_eq!((Order::Rate.turned(1), Order::Rate.turned(-1)), (Order::Median, Order::Refused));
        assert_eq!((Order::Refused.turned(1), Order::Slowest.column()), (Order::Rate, 2));
    }
}

//! Load over HTTP on one service: prepared requests over a number of connections, each of which sends one request at a time.
//!
//! *Closed*: a connection sends its next request as soon as the last one is answered. That finds the maximum throughput of
//! a service, and says little about latency: a service that stalls gets no requests meanwhile. *Open*: requests begin at
//! times that were fixed beforehand, and the latency of each is counted from its time on, whether or not a connection was
//! free then. A stall thus affects all requests that arrive meanwhile (otherwise: "coordinated omission").

mod arrivals;
pub mod connection;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use crate::proof::bench::latency::LatencyHistogram;
use crate::proof::bench::load::arrivals::ArrivalSchedule;
use crate::proof::bench::load::connection::{Connection, PreparedRequest};

/// Requests to services, and the number of connections to each.
#[derive(Clone)]
pub struct LoadGenerator {
    /// Sent in turn.
    pub requests: Arc<[PreparedRequest]>,
    pub connections: u32,
}

/// The result of a load whose requests were all answered with the expected status.
pub struct LoadResult {
    pub latencies: LatencyHistogram,
    /// The latencies of each kind of request.
    pub by_kind: ByKind,
    took: Duration,
}

impl LoadResult {
    /// Answers per second.
    pub fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "requests are far below 2^52")]
        let count = self.latencies.count() as f64;
        count / self.took.as_secs_f64()
    }
}

impl LoadGenerator {
    /// As many requests as the connections can carry, for a time.
    pub async fn closed(&self, time: Duration) -> Result<LoadResult> {
        self.run(|begin| Ok(Arrivals::Closed { end: begin + time, next: AtomicU32::default() })).await
    }

    /// A number of requests per second, for a time; latencies are counted from when a request should have begun.
    pub async fn open(&self, per_second: u32, time: Duration) -> Result<LoadResult> {
        self.run(|begin| ArrivalSchedule::begin(begin, per_second, time).map(Arrivals::Open)).await
    }

    async fn run(&self, arrivals: impl FnOnce(Instant) -> Result<Arrivals>) -> Result<LoadResult> {
        let addresses: BTreeSet<SocketAddr> = self.requests.iter().map(|request| request.to).collect();
        let mut connections = Vec::new();
        for _ in 0..self.connections {
            let mut to_each = BTreeMap::new();
            for address in &addresses {
                to_each.insert(*address, Connection::open(*address).await?);
            }
            connections.push(to_each);
        }
        let (begin, mut workers) = (Instant::now(), JoinSet::new());
        let arrivals = Arc::new(arrivals(begin)?);
        for mut to_each in connections {
            let (arrivals, requests) = (arrivals.clone(), self.requests.clone());
            workers.spawn(async move {
                let mut by_kind = ByKind::new();
                while let Some((number, due)) = arrivals.next().await {
                    let request = &requests[number as usize % requests.len()];
                    let connection = to_each.get_mut(&request.to).context("there is no connection")?;
                    connection.ask(request).await?;
                    of_kind(&mut by_kind, request.kind)?.record(due.elapsed())?;
                }
                Ok::<_, anyhow::Error>(by_kind)
            });
        }
        let (mut latencies, mut by_kind) = (LatencyHistogram::new()?, ByKind::new());
        while let Some(ended) = workers.join_next().await {
            for (kind, of_worker) in ended.context("a connection has panicked")?? {
                latencies.add(&of_worker)?;
                of_kind(&mut by_kind, kind)?.add(&of_worker)?;
            }
        }
        Ok(LoadResult { latencies, by_kind, took: begin.elapsed() })
    }
}

type ByKind = BTreeMap<&'static str, LatencyHistogram>;

/// The histogram of a kind, which may be the first of its kind.
fn of_kind<'m>(by_kind: &'m mut ByKind, kind: &'static str) -> Result<&'m mut LatencyHistogram> {
    Ok(match by_kind.entry(kind) {
        Entry::Vacant(entry) => entry.insert(LatencyHistogram::new()?),
        Entry::Occupied(entry) => entry.into_mut(),
    })
}

/// When a request begins: at once, until a time is over, or at a time of its own.
enum Arrivals {
    Closed { end: Instant, next: AtomicU32 },
    Open(ArrivalSchedule),
}

impl Arrivals {
    /// The next request: its number, and when it begins or should have begun. None when there are no more.
    async fn next(&self) -> Option<(u32, Instant)> {
        match self {
            Arrivals::Closed { end, next } => {
                let now = Instant::now();
                (now < *end).then(|| (next.fetch_add(1, Ordering::Relaxed), now))
            }
            Arrivals::Open(schedule) => schedule.next().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::extract::State;
    use axum::routing::get;
    use tokio::net::TcpListener;
    use tokio::sync::Semaphore;

    use super::*;

    /// A service that lets a number of requests through and no more.
    async fn service(open: usize) -> (SocketAddr, Arc<Semaphore>, JoinSet<std::io::Result<()>>) {
        let gate = Arc::new(Semaphore::new(open));
        let answer = async |State(gate): State<Arc<Semaphore>>| {
            gate.acquire().await.unwrap().forget();
            "well"
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/well", get(answer)).with_state(gate.clone());
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await });
        (address, gate, serving)
    }

    fn load(address: SocketAddr, path: &str) -> LoadGenerator {
        let request = PreparedRequest::get(address, path, "a token").unwrap();
        LoadGenerator { requests: [request].into(), connections: 2 }
    }

    #[tokio::test]
    async fn a_stall_affects_all_requests_that_arrive_meanwhile() {
        let (address, gate, _serving) = service(10).await;
        let load = load(address, "/well");
        let time = Duration::from_millis(200);
        let asked = async { load.open(100, time).await };
        // Ten are let through at once, and the other ten when the last of all should have come.
        let opened = async {
            tokio::time::sleep_until((Instant::now() + time).into()).await;
            gate.add_permits(10);
        };
        let (outcome, ()) = tokio::join!(asked, opened);
        let latencies = outcome.unwrap().latencies;
        assert_eq!(latencies.count(), 20);
        // The eleventh came after 100 ms and waited as long; only two of them were under way.
        assert!(latencies.quantile(1.0) >= Duration::from_millis(95), "{:?}", latencies.quantile(1.0));
        assert!(latencies.quantile(0.8) >= Duration::from_millis(40), "{:?}", latencies.quantile(1.0));
    }

    #[tokio::test]
    async fn a_closed_loop_ends_in_time_and_counts_what_was_answered() {
        let (address, gate, _serving) = service(1_000_000).await;
        let outcome = load(address, "/well").closed(Duration::from_millis(50)).await.unwrap();
        let answered = 1_000_000 - gate.available_permits();
        assert_eq!(outcome.latencies.count(), answered as u64);
        assert!(outcome.rate() > 0.0 && outcome.took >= Duration::from_millis(50));
    }

    #[tokio::test]
    async fn latencies_are_kept_by_kind_over_several_services() {
        let (one, _open, _serving) = service(1_000).await;
        let (other, gate, _other_serving) = service(1_000).await;
        let request = |address| PreparedRequest::get(address, "/well", "a token").unwrap();
        let requests = [request(one).of("one"), request(one).of("one"), request(other).of("other")].into();
        let outcome = LoadGenerator { requests, connections: 2 }.open(300, Duration::from_millis(100)).await.unwrap();
        let counts: Vec<_> = outcome.by_kind.iter().map(|(kind, latencies)| (*kind, latencies.count())).collect();
        assert_eq!((counts, outcome.latencies.count()), (vec![("one", 20), ("other", 10)], 30));
        assert_eq!(gate.available_permits(), 990, "each request goes to its own service");
    }

    #[tokio::test]
    async fn another_answer_than_the_expected_one_is_no_quick_answer() {
        let (address, _gate, _serving) = service(1).await;
        let error = load(address, "/elsewhere").closed(Duration::from_mins(1)).await.err().unwrap();
        assert_eq!(error.to_string(), "GET /elsewhere was answered with 404 Not Found: ");
    }
}

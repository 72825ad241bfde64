//! Load over HTTP on one service: prepared requests over a number of connections, each of which sends one request at a time.
//!
//! *Closed*: a connection sends its next request as soon as the last one is answered. That finds the maximum throughput of
//! a service, and says little about latency: a service that stalls gets no requests meanwhile. *Open*: requests begin at
//! times that were fixed beforehand, and the latency of each is counted from its time on, whether or not a connection was
//! free then. A stall thus affects all requests that arrive meanwhile (otherwise: "coordinated omission").

mod arrivals;
pub mod connection;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use crate::proof::bench::latency::LatencyHistogram;
use crate::proof::bench::load::arrivals::ArrivalSchedule;
use crate::proof::bench::load::connection::{Connection, PreparedRequest};

/// A service, requests to it, and the number of connections.
#[derive(Clone)]
pub struct LoadGenerator {
    pub address: SocketAddr,
    /// Sent in turn.
    pub requests: Arc<[PreparedRequest]>,
    pub connections: u32,
}

/// The result of a load whose requests were all answered with the expected status.
pub struct LoadResult {
    pub latencies: LatencyHistogram,
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
        let mut connections = Vec::new();
        for _ in 0..self.connections {
            connections.push(Connection::open(self.address).await?);
        }
        let (begin, mut workers) = (Instant::now(), JoinSet::new());
        let arrivals = Arc::new(arrivals(begin)?);
        for mut connection in connections {
            let (arrivals, requests) = (arrivals.clone(), self.requests.clone());
            workers.spawn(async move {
                let mut latencies = LatencyHistogram::new()?;
                while let Some((number, due)) = arrivals.next().await {
                    connection.ask(&requests[number as usize % requests.len()]).await?;
                    latencies.record(due.elapsed())?;
                }
                Ok::<_, anyhow::Error>(latencies)
            });
        }
        let mut latencies = LatencyHistogram::new()?;
        while let Some(ended) = workers.join_next().await {
            latencies.add(&ended.context("a connection has panicked")??)?;
        }
        Ok(LoadResult { latencies, took: begin.elapsed() })
    }
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
    use reqwest::{Method, StatusCode};
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
        let request = PreparedRequest::new(Method::GET, path, "a token", None, StatusCode::OK).unwrap();
        LoadGenerator { address, requests: [request].into(), connections: 2 }
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
    async fn another_answer_than_the_expected_one_is_no_quick_answer() {
        let (address, _gate, _serving) = service(1).await;
        let error = load(address, "/elsewhere").closed(Duration::from_mins(1)).await.err().unwrap();
        assert_eq!(error.to_string(), "GET /elsewhere was answered with 404 Not Found: ");
    }
}

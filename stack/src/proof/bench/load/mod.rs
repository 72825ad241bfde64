//! Load over HTTP on one service: requests that were made ready beforehand, over so many connections, of which each sends
//! one request at a time.
//!
//! *Closed*: a connection sends its next request as soon as the last one is answered. That finds the most that a service
//! can do, and says little about waiting: a service that stalls is not asked meanwhile. *Open*: requests begin at times
//! that were fixed beforehand, and how long one takes is counted from its time on, whether or not a connection was free
//! then. A stall is thus felt by all who would have come meanwhile (without it: "coordinated omission").

mod arrivals;
mod connection;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use crate::proof::bench::load::arrivals::Arrivals;
pub use crate::proof::bench::load::connection::Call;
use crate::proof::bench::load::connection::Connection;
use crate::proof::bench::times::Times;

/// Who is asked, what, and over how many connections.
#[derive(Clone)]
pub struct Load {
    pub address: SocketAddr,
    /// Asked in turn.
    pub calls: Arc<[Call]>,
    pub connections: u32,
}

/// What came of a load, all of which was answered as it should be.
pub struct Outcome {
    pub times: Times,
    took: Duration,
}

impl Outcome {
    /// Answers per second.
    pub fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "requests are far below 2^52")]
        let count = self.times.count() as f64;
        count / self.took.as_secs_f64()
    }
}

impl Load {
    /// As much as the connections can carry, for so long.
    pub async fn closed(&self, time: Duration) -> Result<Outcome> {
        let next = Arc::new(AtomicU32::default());
        let connections = self.connect().await?;
        let (begin, mut workers) = (Instant::now(), JoinSet::new());
        for mut connection in connections {
            let (next, calls) = (next.clone(), self.calls.clone());
            workers.spawn(async move {
                let (mut times, mut asked) = (Times::new()?, Instant::now());
                while asked.duration_since(begin) < time {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    connection.ask(&calls[number as usize % calls.len()]).await?;
                    times.note(asked.elapsed())?;
                    asked = Instant::now();
                }
                Ok(times)
            });
        }
        done(begin, workers).await
    }

    /// So many requests per second, for so long; times are counted from when a request should have begun.
    pub async fn open(&self, per_second: u32, time: Duration) -> Result<Outcome> {
        let connections = self.connect().await?;
        let begin = Instant::now();
        let (arrivals, mut workers) = (Arc::new(Arrivals::begin(begin, per_second, time)?), JoinSet::new());
        for mut connection in connections {
            let (arrivals, calls) = (arrivals.clone(), self.calls.clone());
            workers.spawn(async move {
                let mut times = Times::new()?;
                while let Some((number, due)) = arrivals.next().await {
                    connection.ask(&calls[number as usize % calls.len()]).await?;
                    times.note(due.elapsed())?;
                }
                Ok(times)
            });
        }
        done(begin, workers).await
    }

    async fn connect(&self) -> Result<Vec<Connection>> {
        let mut connections = Vec::new();
        for _ in 0..self.connections {
            connections.push(Connection::open(self.address).await?);
        }
        Ok(connections)
    }
}

async fn done(begin: Instant, mut workers: JoinSet<Result<Times>>) -> Result<Outcome> {
    let mut times = Times::new()?;
    while let Some(ended) = workers.join_next().await {
        times.add(&ended.context("a connection of the bench broke down")??)?;
    }
    Ok(Outcome { times, took: begin.elapsed() })
}

#[cfg(test)]
mod tests {
    use axum::{Router, extract::State, routing::get};
    use reqwest::{Method, StatusCode};
    use tokio::{net::TcpListener, sync::Semaphore};

    use super::*;

    /// A service that lets so many requests through and no more.
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

    fn load(address: SocketAddr, path: &str) -> Load {
        let call = Call::new(Method::GET, path, "a token", None, StatusCode::OK).unwrap();
        Load { address, calls: [call].into(), connections: 2 }
    }

    #[tokio::test]
    async fn a_stall_is_felt_by_all_who_would_have_come_meanwhile() {
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
        let times = outcome.unwrap().times;
        assert_eq!(times.count(), 20);
        // The eleventh came after 100 ms and waited as long; only two of them were under way.
        assert!(times.at(1.0) >= Duration::from_millis(95), "{:?}", times.row("all"));
        assert!(times.at(0.8) >= Duration::from_millis(40), "{:?}", times.row("all"));
    }

    #[tokio::test]
    async fn a_closed_loop_ends_in_time_and_counts_what_was_answered() {
        let (address, gate, _serving) = service(1_000_000).await;
        let outcome = load(address, "/well").closed(Duration::from_millis(50)).await.unwrap();
        let answered = 1_000_000 - gate.available_permits();
        assert_eq!(outcome.times.count(), answered as u64);
        assert!(outcome.rate() > 0.0 && outcome.took >= Duration::from_millis(50));
    }

    #[tokio::test]
    async fn another_answer_than_the_expected_one_is_no_quick_answer() {
        let (address, _gate, _serving) = service(1).await;
        let error = load(address, "/elsewhere").closed(Duration::from_mins(1)).await.err().unwrap();
        assert_eq!(error.to_string(), "GET /elsewhere was answered with 404 Not Found: ");
    }
}

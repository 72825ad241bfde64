//! What the web client itself adds to the time of a page: its APIs answer at once, from memory.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::reading::WebReading;
use super::replay::{Call, ReplayServer};
use crate::host::console;
use crate::platform::gateway;
use crate::proof::bench::latency::{LatencyHistogram, milliseconds};
use crate::proof::bench::load::LoadGenerator;
use crate::proof::bench::load::connection::{Connection, PreparedRequest};
use crate::proof::bench::options::Web;
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::{Measurement, row};

/// How often each page is asked for, one after the other.
const TIMES: u32 = 2_000;

/// Measures pages, the calls of the API behind them, and how many pages there are per second.
pub async fn measure(options: &Web, platform: &mut MeasuredPlatform<'_>, scene: &WebReading) -> Result<Measurement> {
    let token = scene.token().await?;
    let post = format!("/posts/{}", scene.post);
    let pages = [("home, 20 posts", "/"), ("a post, 20 comments", post.as_str()), ("settings", "/settings")];
    let mut rows =
        vec![row(["page", "calls", "p50", "p99", "the calls alone: p50", "difference of the p50", "pages/s"])];
    for (what, path) in pages {
        console::info(format_args!("{what}: {TIMES} pages, and then as many as there can be"));
        // A server for each page: what it knows then are the calls of this page.
        let replay = ReplayServer::start(gateway::url(scene.front.gateway)).await?;
        platform.base.restart_web(&scene.binary, scene.front.web, replay.address.port()).await?;
        let page = PreparedRequest::page(WebReading::address(scene.front.web), path, &token)?;
        let pages = one_by_one(std::slice::from_ref(&page)).await?;
        let calls = replay.calls();
        ensure!(!calls.is_empty(), "{path} was made without a call");
        let calls: Vec<_> = calls.iter().map(|call| prepared(&replay, call, &token)).collect::<Result<_>>()?;
        let bare = one_by_one(&calls).await?;
        let load = LoadGenerator { requests: [page].into(), connections: options.turns.connections };
        let seconds = Duration::from_secs(options.turns.seconds.into()) * options.turns.rounds;
        let rate = load.closed(seconds).await?.rate();
        let [p50, p99] = [0.5, 0.99].map(|q| pages.quantile(q));
        let own = p50.saturating_sub(bare.quantile(0.5));
        let [p50, p99, bare, own] = [p50, p99, bare.quantile(0.5), own].map(milliseconds);
        rows.push(row([what, &calls.len().to_string(), &p50, &p99, &bare, &own, &format!("{rate:.0}")]));
    }
    platform.base.restart_web(&scene.binary, scene.front.web, scene.front.gateway).await?;
    let description = format!(
        "The web client calls a server that answers at once what the services have answered before. Each page is asked for \
         {TIMES} times, one request after the other; so are then the calls of the API behind it, by a bare client. Pages per second \
         are those over {} connections, with load generator and answering server on the same cores. The goals are an own time of \
         0.3 ms (p50) and 4,000 pages/s on two cores.",
        options.turns.connections
    );
    Ok(Measurement { title: "The client's part of a page".to_owned(), description, rows })
}

/// A call of the API as a request of a bare client.
fn prepared(replay: &ReplayServer, call: &Call, token: &str) -> Result<PreparedRequest> {
    if call.method == Method::GET {
        return PreparedRequest::get(replay.address, &call.path, token);
    }
    let body: Value = serde_json::from_slice(&call.body).context("a call of a page has no JSON")?;
    Ok(PreparedRequest::post(replay.address, &call.path, token, &body)?.expecting(StatusCode::OK))
}

/// The times of all these requests together, one after the other over one connection, after one turn that does not count.
async fn one_by_one(requests: &[PreparedRequest]) -> Result<LatencyHistogram> {
    let mut latencies = LatencyHistogram::new()?;
    let Some(first) = requests.first() else { return Ok(latencies) };
    let mut connection = Connection::open(first.to).await?;
    for turn in 0..=TIMES {
        let begin = Instant::now();
        for request in requests {
            connection.ask(request).await?;
        }
        if turn > 0 {
            latencies.record(begin.elapsed())?;
        }
    }
    Ok(latencies)
}

//! How soon a home page is there, through the gateway, beside the platform that it asks.

use std::time::Duration;

use anyhow::Result;

use super::reading::WebReading;
use crate::host::console;
use crate::proof::bench::latency::milliseconds;
use crate::proof::bench::load::LoadGenerator;
use crate::proof::bench::load::connection::PreparedRequest;
use crate::proof::bench::options::Web;
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::{Measurement, row};
use crate::system::ENGAGEMENT;

/// How long each is asked for, in multiples of a turn.
const TURNS: u32 = 10;

/// Sends requests at times that were fixed beforehand: for the feed alone, and for the page that shows it.
pub async fn measure(options: &Web, platform: &MeasuredPlatform<'_>, scene: &WebReading) -> Result<Measurement> {
    console::info(format_args!("{} home pages per second", options.rate));
    let token = scene.token().await?;
    let feed = PreparedRequest::get(platform.address(&ENGAGEMENT)?, "/api/v1/me/feed?limit=20", &token)?;
    let page = PreparedRequest::page(WebReading::address(scene.front.gateway), "/", &token)?;
    let time = Duration::from_secs(options.turns.seconds.into()) * TURNS;
    let mut rows = vec![row(["what", "requests/s", "p50", "p95", "p99"])];
    let what = ["`GET /me/feed`, of the engagement service itself", "the home page, through the gateway"];
    for (what, request) in what.into_iter().zip([feed, page]) {
        let load = LoadGenerator { requests: [request].into(), connections: options.turns.connections };
        let latencies = load.open(options.rate, time).await?.latencies;
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|q| milliseconds(latencies.quantile(q)));
        rows.push(row([what, &options.rate.to_string(), &p50, &p95, &p99]));
    }
    let description = format!(
        "A home page with 20 posts is asked for at times that were fixed beforehand for {} s, over {} connections, each from its \
         time on to the last byte, through nginx, the web client, nginx again and the services, all on this machine. The goal is \
         a p50 of that of the feed and 3 ms, and a p99 of 60 ms.",
        time.as_secs(),
        options.turns.connections
    );
    Ok(Measurement { title: "A home page beside the platform".to_owned(), description, rows })
}

//! How soon a text is answered by `POST /api/v1/analyze`, which the other services ask before they publish something.

use std::time::Duration;

use anyhow::Result;
use reqwest::StatusCode;
use serde_json::json;

use crate::host::console;
use crate::proof::bench::latency::milliseconds;
use crate::proof::bench::load::LoadGenerator;
use crate::proof::bench::load::connection::PreparedRequest;
use crate::proof::bench::options::Moderation;
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::{Measurement, row};
use crate::system::MODERATION;

const PATH: &str = "/api/v1/analyze";
/// Texts that are sent in turn, of 32 tokens and more.
const TEXTS: [&str; 4] = [
    "We walked along the sea and talked about books until it was late in the day, and nobody wanted to go home yet.",
    "Has anyone tried the new bakery by the station? Their bread is better than what I bake, and that hurts a little.",
    "The printer at work ate my report again, so I read it out aloud in the meeting, all twelve pages of it, twice.",
    "Thank you all for the kind words about my grandmother. She would have laughed at every single one of your stories.",
];

/// Sends requests at times that were fixed beforehand.
pub async fn measure(options: &Moderation, platform: &MeasuredPlatform<'_>) -> Result<Measurement> {
    let address = platform.address(&MODERATION)?;
    let token = &platform.base.config.secrets.service_token;
    let prepare = |text: &&str| {
        Ok(PreparedRequest::post(address, PATH, token, &json!({ "text": text }))?.expecting(StatusCode::OK))
    };
    let requests: Vec<PreparedRequest> = TEXTS.iter().map(prepare).collect::<Result<_>>()?;
    let load = LoadGenerator { requests: requests.into(), connections: options.connections };
    let mut rows = vec![row(["requests/s", "requests", "p50", "p95", "p99", "longest"])];
    for rate in [options.rate, options.rate * 2] {
        console::info(format_args!("{rate} texts per second for {} s", options.seconds));
        let latencies = load.open(rate, Duration::from_secs(options.seconds.into())).await?.latencies;
        let [p50, p95, p99, longest] = [0.5, 0.95, 0.99, 1.0].map(|q| milliseconds(latencies.quantile(q)));
        rows.push(row([&rate.to_string(), &latencies.count().to_string(), &p50, &p95, &p99, &longest]));
    }
    let description = format!(
        "`POST {PATH}` with one text, at times that were fixed beforehand, over {} connections, each from its time on. The goal is \
         a p99 of 15 ms at 50 requests per second.",
        options.connections
    );
    Ok(Measurement { title: "One text".to_owned(), description, rows })
}

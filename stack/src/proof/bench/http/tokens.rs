//! The check of a token, which every service asks for, against a bare route.

use anyhow::Result;
use reqwest::Method;
use serde_json::Value;

use crate::client::{Person, To};
use crate::host::console;
use crate::proof::bench::http::bare::{self, BareServer};
use crate::proof::bench::load::LoadGenerator;
use crate::proof::bench::load::connection::PreparedRequest;
use crate::proof::bench::options::Http;
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::rates;
use crate::proof::bench::report::{self, Measurement};
use crate::system::AUTH;

/// Measures both with the same load generator over as many connections, and answers of the same size.
pub async fn measure(options: &Http, platform: &MeasuredPlatform<'_>, people: &[Person]) -> Result<Measurement> {
    console::info(format_args!("verify-token against a bare route: {} rounds", options.turns.rounds));
    let path = "/auth/verify-token";
    let (_, answer): (_, Value) = people[0].api.send(Method::GET, To::Auth, path, None).await?;
    let bare = BareServer::start(answer.to_string()).await?;
    let address = platform.address(&AUTH)?;
    let mut requests = (Vec::new(), Vec::new());
    for person in people {
        let token = person.api.access_token().await?.unwrap_or_default();
        requests.0.push(PreparedRequest::get(address, &format!("/api/v1{path}"), &token)?);
        requests.1.push(PreparedRequest::get(bare.address, bare::PATH, &token)?);
    }
    let connections = options.turns.connections;
    let subject = LoadGenerator { requests: requests.0.into(), connections };
    let limit = LoadGenerator { requests: requests.1.into(), connections };
    let comparison = rates::compare(&options.turns, &subject, &limit).await?;
    let row = rates::row(&subject, &comparison, "GET /auth/verify-token", &options.turns).await?;
    // How evenly a route can answer here that does nothing: load generator and machine have their part in a p99.
    let maximum = comparison.limit()?;
    let [p50, p99, ratio] = rates::at_half(&limit, maximum, &options.turns).await?;
    let bare = report::row(["the bare route itself", "", &format!("{maximum:.0}"), "", &p50, &p99, &ratio]);
    let description = format!(
        "{} people send requests in turn over {connections} connections, each as soon as the last answer is there. The upper \
         limit is a route of axum that does nothing but answer as many bytes, in a runtime of its own, with the same load \
         generator and the same requests. Its own latencies are at half of its own maximum.",
        people.len(),
    );
    let title = "A token against a bare route".to_owned();
    Ok(Measurement { title, description, rows: vec![rates::head("bare route/s"), row, bare] })
}

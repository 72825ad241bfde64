//! The check of a token, which every service asks for, against a bare route.

use std::time::Duration;

use anyhow::Result;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::client::{Person, To};
use crate::host::console;
use crate::proof::bench::http::bare;
use crate::proof::bench::http::bare::Bare;
use crate::proof::bench::http::contest::Contest;
use crate::proof::bench::load::{Call, Load};
use crate::proof::bench::options::Http;
use crate::proof::bench::platform::Platform;
use crate::proof::bench::section;
use crate::proof::bench::section::Part;
use crate::system::AUTH;

/// Measures both with the same driver over as many connections, and answers of the same size.
pub async fn measure(options: &Http, platform: &Platform<'_>, people: &[Person]) -> Result<Part> {
    console::tell(format_args!("verify-token against a bare route: {} rounds", options.rounds));
    let path = "/auth/verify-token";
    let (_, answer): (_, Value) = people[0].api.send(Method::GET, To::Auth, path, None).await?;
    let bare = Bare::serve(answer.to_string()).await?;
    let mut calls = (Vec::new(), Vec::new());
    for person in people {
        let token = person.api.access_token().await?.unwrap_or_default();
        calls.0.push(Call::new(Method::GET, &format!("/api/v1{path}"), &token, None, StatusCode::OK)?);
        calls.1.push(Call::new(Method::GET, bare::PATH, &token, None, StatusCode::OK)?);
    }
    let connections = options.connections;
    let ours = Load { address: platform.address(&AUTH)?, calls: calls.0.into(), connections };
    let bound = Load { address: bare.address, calls: calls.1.into(), connections };
    let time = Duration::from_secs(options.seconds.into());
    let contest = Contest::hold(
        options.rounds,
        async || Ok(ours.closed(time).await?.rate()),
        async || Ok(bound.closed(time).await?.rate()),
    )
    .await?;
    let row = super::row(&ours, &contest, "GET /auth/verify-token", options).await?;
    // How even a route can answer here that does nothing: the driver and the machine have their part in a p99.
    let most = contest.bound()?;
    let [p50, p99, ratio] = super::at_half(&bound, most, options).await?;
    let bare = section::row(["the bare route itself", "", &format!("{most:.0}"), "", &p50, &p99, &ratio]);
    let says = format!(
        "{} people ask in turn over {connections} connections, each as soon as the last answer is there. The bound is a route of \
         axum that does nothing but answer as many bytes, in a runtime of its own, asked by the same driver with the \
         same requests. Its own times are at half of its own maximum.",
        people.len(),
    );
    Ok(Part {
        title: "A token against a bare route".to_owned(),
        says,
        rows: vec![super::head("bare route/s"), row, bare],
    })
}

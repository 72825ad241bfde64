//! Asking every process for its `/metrics`, all at once.

use anyhow::Result;
use futures::future::join_all;
use reqwest::{Client, Url};
use tokio::time::Instant;

use crate::host::arguments;
use crate::system::{SERVICES, Service};
use crate::traffic::top::exposition::Metrics;

/// A process of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub service: &'static Service,
    pub url: Url,
}

/// What all processes said at one time, in the order of their addresses; an error for one that did not.
#[derive(Debug)]
pub struct Scrape {
    pub at: Instant,
    pub answers: Vec<Result<Metrics>>,
}

impl Address {
    /// Reads `service=URL`.
    pub fn parse(text: &str) -> Result<Address, String> {
        let (name, url) = text.split_once('=').ok_or("it must be like post-service=http://10.0.0.7:8001")?;
        let service = SERVICES.iter().find(|service| service.package == name);
        let service = service.ok_or_else(|| format!("there is no service {name}"))?;
        Ok(Address { service, url: arguments::url(url, &["http", "https"])? })
    }
}

/// Asks them all.
pub async fn scrape(http: &Client, addresses: &[Address]) -> Scrape {
    let answers = join_all(addresses.iter().map(|address| ask(http, &address.url))).await;
    Scrape { at: Instant::now(), answers }
}

async fn ask(http: &Client, url: &Url) -> Result<Metrics> {
    let answer = http.get(url.join("/metrics")?).send().await?.error_for_status()?;
    Metrics::read(&answer.text().await?)
}

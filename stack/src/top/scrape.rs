//! Asking every process for its `/metrics`, all at once.

use anyhow::Result;
use futures::future::join_all;
use reqwest::{Client, Url};
use tokio::time::Instant;

use super::exposition::Metrics;
use crate::{cli::Top, client, replicas, system::Service};

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

/// Every address to ask: those that were given, or so many replicas on the ports that follow the first.
pub fn addresses(options: &Top) -> Result<Vec<Address>> {
    if !options.address.is_empty() {
        return Ok(options.address.clone());
    }
    let all = replicas::processes(options.replicas).map(|(service, replica)| {
        let offset = service.port(0, replica).unwrap_or(u16::MAX);
        Ok(Address { service, url: client::address(&options.target.base_url, offset)? })
    });
    all.collect()
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn all(line: &str) -> Vec<String> {
        match Cli::try_parse_from(line.split(' ')).unwrap().command {
            Command::Top(options) => addresses(&options).unwrap().into_iter().map(|one| one.url.to_string()).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn replicas_are_where_the_launcher_puts_them() {
        let found = all("stack top --base-url http://127.0.0.1:9000 --replicas 2");
        assert_eq!(found.len(), 10);
        assert_eq!(found[..3], ["http://127.0.0.1:9000/", "http://127.0.0.1:9100/", "http://127.0.0.1:9001/"]);
    }

    #[test]
    fn addresses_that_are_given_stand_in_for_all() {
        let found = all("stack top --address post-service=http://a:1 --address post-service=http://b:2");
        assert_eq!(found, ["http://a:1/", "http://b:2/"]);
    }
}

//! `cargo stack top`: what the services do at this moment, listed anew every second, or once.
//!
//! Every process is asked for its `/metrics`; what is shown is the difference of two answers, as Prometheus would take it
//! (`rate`, `histogram_quantile`). It needs nothing but the services: no Prometheus, no access to their servers.

mod figures;
mod tables;

use std::io::{IsTerminal, stdout};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Args, value_parser};
use futures::future::join_all;
use reqwest::{Client, Url};
use tokio::time::{Instant, sleep_until};

use crate::client;
use crate::host::shutdown::Shutdown;
use crate::host::{arguments, console};
use crate::platform::metrics::Metrics;
use crate::platform::replicas;
use crate::system::{SERVICES, Service};
use crate::traffic::target::Target;
use figures::Sample;

/// How long a process may take to answer before it counts as down: it looks into Postgres and Redis for it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// Clears the terminal and moves to its first line.
const CLEAR: &str = "\x1b[2J\x1b[H";

#[derive(Debug, Args)]
pub struct Top {
    #[command(flatten)]
    target: Target,
    /// Processes per service, as given to `up`
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u16).range(1..=50))]
    replicas: u16,
    /// Ask these processes and no others, as in post-service=http://10.0.0.7:8001; may be given several times
    #[arg(long, value_name = "SERVICE=URL", value_parser = MonitoredProcess::parse, conflicts_with_all = ["base_url", "replicas"])]
    address: Vec<MonitoredProcess>,
    /// Seconds between two listings
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = |text: &str| arguments::number(text, 0.2..=60.0))]
    interval: f64,
    /// List once, after one interval, and end; the default where there is no terminal
    #[arg(long)]
    once: bool,
}

/// A process of a service.
#[derive(Debug, Clone)]
struct MonitoredProcess {
    service: &'static Service,
    url: Url,
}

impl MonitoredProcess {
    /// Parses `service=URL`.
    fn parse(text: &str) -> Result<MonitoredProcess, String> {
        let (name, url) = text.split_once('=').ok_or("it must be like post-service=http://10.0.0.7:8001")?;
        let service = SERVICES.iter().find(|service| service.package == name);
        let service = service.ok_or_else(|| format!("there is no service {name}"))?;
        Ok(MonitoredProcess { service, url: arguments::url(url, &["http", "https"])? })
    }
}

impl Top {
    /// Every process to ask: those that were given, or all replicas on the ports that follow the first.
    fn processes(&self) -> Result<Vec<MonitoredProcess>> {
        if !self.address.is_empty() {
            return Ok(self.address.clone());
        }
        let all = replicas::all(self.replicas).map(|replica| {
            let offset = replica.service.port(0, replica.number).unwrap_or(u16::MAX);
            Ok(MonitoredProcess { service: replica.service, url: client::address(&self.target.base_url, offset)? })
        });
        all.collect()
    }
}

/// Lists what the processes do, until Ctrl-C or once.
pub async fn top(options: Top) -> Result<ExitCode> {
    let (processes, interval) = (options.processes()?, Duration::from_secs_f64(options.interval));
    let (http, mut shutdown) = (client::http(ANSWER_TIMEOUT)?, Shutdown::listen()?);
    let once = options.once || !stdout().is_terminal();
    let mut before = scrape(&http, &processes).await;
    if before.iter().all(|sample| sample.metrics.is_err()) {
        let why = before.iter().find_map(|sample| sample.metrics.as_ref().err());
        let why = why.map(|error| format!("{error:#}")).unwrap_or_default();
        bail!("none of the services answers; is the platform running (`cargo stack doctor`)? {why}");
    }
    let mut scraped_at = Instant::now();
    loop {
        tokio::select! {
            () = sleep_until(scraped_at + interval) => {}
            () = shutdown.requested() => return Ok(ExitCode::SUCCESS),
        }
        let now = scrape(&http, &processes).await;
        let seconds = scraped_at.elapsed().as_secs_f64();
        scraped_at = Instant::now();
        let listing = tables::listing(&before, &now, seconds)?;
        if once {
            console::show(listing);
            return Ok(ExitCode::SUCCESS);
        }
        console::show(format_args!("{CLEAR}{listing}"));
        before = now;
    }
}

/// Asks all processes at once.
async fn scrape(http: &Client, processes: &[MonitoredProcess]) -> Vec<Sample> {
    let samples = processes.iter().map(async |process| Sample {
        service: process.service,
        metrics: Metrics::scrape(http, process.url.as_str()).await,
    });
    join_all(samples).await
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches;

    use super::*;

    fn addresses(line: &str) -> Vec<String> {
        let command = Top::augment_args(clap::Command::new("top"));
        let options = Top::from_arg_matches(&command.get_matches_from(line.split(' '))).unwrap();
        options.processes().unwrap().into_iter().map(|process| process.url.to_string()).collect()
    }

    #[test]
    fn replicas_are_where_the_launcher_puts_them() {
        let found = addresses("top --base-url http://127.0.0.1:9000 --replicas 2");
        assert_eq!(found.len(), 10);
        assert_eq!(found[..3], ["http://127.0.0.1:9000/", "http://127.0.0.1:9100/", "http://127.0.0.1:9001/"]);
    }

    #[test]
    fn given_addresses_replace_all_others() {
        let found = addresses("top --address post-service=http://a:1 --address post-service=http://b:2");
        assert_eq!(found, ["http://a:1/", "http://b:2/"]);
    }
}

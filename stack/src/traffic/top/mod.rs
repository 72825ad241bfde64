//! `cargo stack top`: what the services do at this moment, on one page that is drawn anew every second, or listed once.
//!
//! Every process is asked for its `/metrics`; what is shown is the difference of two answers, as Prometheus would take it
//! (`rate`, `histogram_quantile`). It needs nothing but the services: no Prometheus, no access to their servers.

mod app;
mod exposition;
mod figures;
mod group;
mod histogram;
pub mod scrape;
mod screen;
mod tables;

use std::{
    io::{IsTerminal, stdin, stdout},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::{Args, value_parser};
use crossterm::event::EventStream;
use futures::StreamExt;
use reqwest::Client;
use tokio::time::{Instant, sleep_until};

use crate::client;
use crate::host::arguments;
use crate::host::console;
use crate::host::shutdown::Stop;
use crate::platform::replicas;
use crate::traffic::target::Target;
use app::App;
use figures::Figures;
use scrape::{Address, Scrape, scrape};
use tables::Order;

/// How long a process may take to answer before it counts as down: it looks into Postgres and Redis for it.
const ANSWER: Duration = Duration::from_secs(3);
/// How many routes are listed where there is no page to scroll.
const LISTED: usize = 15;

#[derive(Debug, Args)]
pub struct Top {
    #[command(flatten)]
    pub target: Target,
    /// Processes per service, as `up` was told
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u16).range(1..=50))]
    pub replicas: u16,
    /// Ask these processes and no others, as in post-service=http://10.0.0.7:8001; may be given several times
    #[arg(long, value_name = "SERVICE=URL", value_parser = Address::parse, conflicts_with_all = ["base_url", "replicas"])]
    pub address: Vec<Address>,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = |text: &str| arguments::number(text, 0.2..=60.0))]
    pub interval: f64,
    /// List it once, after one interval, and end; so it is where there is no terminal
    #[arg(long)]
    pub once: bool,
}

impl Top {
    /// Every address to ask: those that were given, or so many replicas on the ports that follow the first.
    fn addresses(&self) -> Result<Vec<Address>> {
        if !self.address.is_empty() {
            return Ok(self.address.clone());
        }
        let all = replicas::processes(self.replicas).map(|(service, replica)| {
            let offset = service.port(0, replica).unwrap_or(u16::MAX);
            Ok(Address { service, url: client::address(&self.target.base_url, offset)? })
        });
        all.collect()
    }
}

/// Shows the page until somebody leaves it; without a terminal, or when told to, lists it once.
pub async fn top(options: Top) -> Result<ExitCode> {
    let addresses = options.addresses()?;
    let looker = Looker { http: client::http(ANSWER)?, every: Duration::from_secs_f64(options.interval), addresses };
    if options.once || !stdout().is_terminal() || !stdin().is_terminal() {
        list(&looker).await?;
    } else {
        let urls: Vec<_> = looker.addresses.iter().map(|address| address.url.as_str()).collect();
        let more = if urls.len() > 1 { format!(" and {} more", urls.len() - 1) } else { String::new() };
        let title = format!("cargo stack top   {}{more}   every {} s", urls[0].trim_end_matches('/'), options.interval);
        page(&looker, title).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Who asks whom, and how often.
struct Looker {
    http: Client,
    every: Duration,
    addresses: Vec<Address>,
}

impl Looker {
    /// Asks when it is time again; at once when it never has.
    async fn look(&self, last: Option<Instant>) -> Scrape {
        if let Some(last) = last {
            sleep_until(last + self.every).await;
        }
        scrape(&self.http, &self.addresses).await
    }
}

async fn list(looker: &Looker) -> Result<()> {
    let first = looker.look(None).await;
    let why = first.answers.iter().find_map(|answer| answer.as_ref().err());
    if first.answers.iter().all(Result::is_err) {
        let why = why.map(|error| format!("{error:#}")).unwrap_or_default();
        bail!("none of the services answers; is the platform running (`cargo stack doctor`)? {why}");
    }
    let second = looker.look(Some(first.at)).await;
    let figures = Figures::between(&looker.addresses, &first, &second)?;
    let listing = |heads: &[&str], rows: Vec<tables::Row>| {
        let heads = heads.iter().map(|head| (*head).to_owned()).collect();
        let rows: Vec<_> = std::iter::once(heads).chain(rows.into_iter().map(|row| row.cells)).collect();
        console::show(format_args!("{}\n", console::table(&rows)));
    };
    listing(&tables::SERVICES, tables::services(&figures));
    listing(&tables::ROUTES, tables::routes(&figures, Order::Rate).into_iter().take(LISTED).collect());
    listing(&tables::STREAMS, tables::streams(&figures));
    Ok(())
}

/// The terminal while it is ours. It is given back when this value goes, after a panic too.
struct Screen(ratatui::DefaultTerminal);

impl Screen {
    fn take() -> Result<Screen> {
        ratatui::try_init().map(Screen).context("the terminal cannot be drawn on; --once lists the same")
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

async fn page(looker: &Looker, title: String) -> Result<()> {
    let mut stop = Stop::listen()?;
    let mut screen = Screen::take()?;
    let mut keys = EventStream::new();
    let mut app = App::new(title);
    let mut last: Option<Scrape> = None;
    loop {
        let look = looker.look(last.as_ref().map(|last| last.at));
        tokio::pin!(look);
        // Keys are answered while the next look is waited for.
        let now = loop {
            screen.0.draw(|frame| screen::draw(frame, &app)).context("the terminal cannot be drawn on")?;
            tokio::select! {
                now = &mut look => break now,
                key = keys.next() => {
                    let key = key.context("the terminal has gone")?.context("the keys cannot be read")?;
                    if app.handle(&key) {
                        return Ok(());
                    }
                }
                () = stop.asked() => return Ok(()),
            }
        };
        if let Some(last) = &last {
            app.figures = Some(Figures::between(&looker.addresses, last, &now)?);
        }
        last = Some(now);
    }
}

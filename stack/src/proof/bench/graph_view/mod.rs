//! `cargo stack bench graph-view`: how soon another service has the connections of very many people, and what the auth service takes
//! of memory for that.

mod routes;
mod stream;

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sqlx::types::Uuid;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::host::console;
use crate::proof::bench::graph_view::routes::PageClient;
use crate::proof::bench::graph_view::stream::GraphClient;
use crate::proof::bench::latency::{LatencyHistogram, milliseconds};
use crate::proof::bench::options::GraphView;
use crate::proof::bench::platform::{MeasuredPlatform, process};
use crate::proof::bench::report::{BenchmarkReport, Measurement, row};
use crate::proof::bench::resident::{mebibytes, resident_memory};
use crate::proof::poll;
use crate::servers::psql;
use crate::system::AUTH;

/// The person that all others follow, as `fill.sql` makes them.
const FAMOUS: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000);
/// How long the graph view may take to listen, and how often it is tried.
const TIMEOUT: Duration = Duration::from_secs(10);
const EVERY: Duration = Duration::from_millis(20);

/// How the graph is read.
#[derive(Clone, Copy)]
enum Reading {
    Followers,
    Connections,
    /// By a route, with that many rows on a page.
    Pages(u32),
}

impl Reading {
    fn title(self) -> String {
        match self {
            Reading::Followers => "stream `ListFollowers`".to_owned(),
            Reading::Connections => "stream `ListConnections`".to_owned(),
            Reading::Pages(rows) => format!("route, pages of {rows}"),
        }
    }
}

/// What reads it.
struct GraphReaders {
    stream: GraphClient,
    routes: PageClient,
}

impl GraphReaders {
    async fn read(&self, reading: Reading, page_came: impl FnMut()) -> Result<usize> {
        match reading {
            Reading::Followers => self.stream.read_followers(FAMOUS, page_came).await,
            Reading::Connections => self.stream.read_connections(page_came).await,
            Reading::Pages(rows) => self.routes.read_connections(rows, page_came).await,
        }
    }
}

/// Measures one way after the other, each with a process of its own and none of another service.
pub async fn run(options: &GraphView, platform: &mut MeasuredPlatform<'_>) -> Result<BenchmarkReport> {
    let followers = options.followers;
    console::info(format_args!("Making a person with {followers} followers"));
    let all = platform.base.replicas.clone();
    platform.base.kill(&all).await?;
    let script = format!("\\set followers {followers}\n{}", include_str!("fill.sql"));
    psql::run(&platform.base.database, &script).await.context("the graph cannot be made")?;
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    platform.base.settings.push(("INTERNAL_PORT".to_owned(), port.to_string()));

    let mut rows = vec![row(["how", "pages", "median", "longest", "memory before", "more at most"])];
    for reading in [Reading::Followers, Reading::Connections, Reading::Pages(1_000), Reading::Pages(200)] {
        rows.push(measure(reading, options, platform, port).await?);
    }
    let description = format!(
        "{followers} people follow one person, and are connected to no one else. One caller reads them from one process of the \
         auth service, {} times after one that does not count: their ids with the time of each, by `ListFollowers` of the graph \
         view; all connections, which are as many, by `ListConnections`; the same rows by the route \
         `/internal/read-model/connections`. The last page has no rows. The time is until the caller has decoded all of them. \
         Memory is what the process holds (resident) when it is ready, and then at most, by looking after each page of the first \
         time and after each other time. The goal is 250 ms and 8 MiB for 100,000 ids.",
        options.rounds
    );
    let measurement = Measurement { title: "All followers of one person".to_owned(), description, rows };
    Ok(BenchmarkReport { title: "Graph view", measurements: vec![measurement] })
}

async fn measure(
    reading: Reading,
    options: &GraphView,
    platform: &mut MeasuredPlatform<'_>,
    port: u16,
) -> Result<Vec<String>> {
    let title = reading.title();
    console::info(format_args!("{title}: {} rounds", options.rounds));
    // In a new process: what it did before is not part of its memory.
    let service = process(&AUTH);
    platform.base.start(&[service]).await?;
    poll::until("the graph view listens", TIMEOUT, EVERY, async || {
        Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok())
    })
    .await?;
    let token = &platform.base.config.secrets.service_token;
    let routes = PageClient::new(&service.url(platform.base.config.port_base), token)?;
    let readers = GraphReaders { stream: GraphClient::new(port, token)?, routes };
    let pid = platform.base.pid(service)?;
    let before = resident_memory(pid);
    let (mut pages, mut most, mut latencies) = (0_u32, before, LatencyHistogram::new()?);
    let page_came = || {
        pages += 1;
        most = most.max(resident_memory(pid));
    };
    let rows = readers.read(reading, page_came).await?;
    ensure!(rows == options.followers as usize, "{title}: {rows} rows came");
    for _ in 0..options.rounds {
        let begin = Instant::now();
        readers.read(reading, || {}).await?;
        latencies.record(begin.elapsed())?;
        most = most.max(resident_memory(pid));
    }
    platform.base.kill(&[service]).await?;
    let [median, longest] = [0.5, 1.0].map(|q| milliseconds(latencies.quantile(q)));
    let more = most.zip(before).map(|(most, before)| most - before);
    Ok(row([&title, &pages.to_string(), &median, &longest, &mebibytes(before), &mebibytes(more)]))
}

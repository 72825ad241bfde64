//! `cargo stack bench`: measures a platform of its own, and reports the figures with the machine that they come from.
//!
//! Every benchmark starts the optimised services with servers of their own in a temporary folder, and returns a section of
//! `docs/benchmarks.md` (`report`). Nothing here is a test: no figure is right or wrong, and the same benchmark
//! on another machine, or on this one while it is busy, reports something else.

mod comparison;
mod database;
mod event_stream;
mod events;
mod feed;
mod graph_view;
mod http;
mod latency;
mod load;
mod machine;
mod moderation;
pub mod options;
mod platform;
mod rates;
mod recommend;
mod report;
mod resident;
mod search;
mod statements;
mod streams;
mod web;

use std::process::ExitCode;

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::host::programs::Program;
use crate::host::shutdown::Shutdown;
use crate::host::{console, workspace};
use crate::proof::bench::options::{Bench, Run};
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::BenchmarkReport;
use crate::servers::temporary::TemporaryServers;

/// Runs the benchmark that was asked for.
pub async fn bench(bench: Bench) -> Result<ExitCode> {
    match &bench {
        Bench::Events(options) => measure(&options.run, async |platform| events::run(options, platform).await).await,
        Bench::Http(_)
        | Bench::Feed(_)
        | Bench::Moderation(_)
        | Bench::Search(_)
        | Bench::Recommend(_)
        | Bench::GraphView(_)
        | Bench::Web(_)
            if cfg!(debug_assertions) =>
        {
            run_optimised().await
        }
        Bench::Http(options) => measure(&options.run, async |platform| http::run(options, platform).await).await,
        Bench::Streams(options) => measure(&options.run, async |platform| streams::run(options, platform).await).await,
        Bench::Moderation(options) => {
            measure(&options.run, async |platform| moderation::run(options, platform).await).await
        }
        Bench::Search(options) => measure(&options.run, async |platform| search::run(options, platform).await).await,
        Bench::Recommend(options) => {
            measure(&options.run, async |platform| recommend::run(options, platform).await).await
        }
        Bench::GraphView(options) => {
            measure(&options.run, async |platform| graph_view::run(options, platform).await).await
        }
        Bench::Web(options) => measure(&options.run, async |platform| web::run(options, platform).await).await,
        Bench::Feed(options) => measure(&options.run, async |platform| feed::run(options, platform).await).await,
    }
}

/// Runs the same command by this tool built with optimisation: without it, the load generator would keep the cores so busy
/// that it measures itself.
async fn run_optimised() -> Result<ExitCode> {
    let mut shutdown = Shutdown::listen()?;
    let mut command = Command::new(workspace::build_itself().await?);
    command.args(std::env::args_os().skip(1));
    let status = workspace::run(&mut command, &mut shutdown).await?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Starts a platform, runs a benchmark on it, stops it whatever the outcome, and shows the report.
async fn measure(
    options: &Run,
    benchmark: impl AsyncFnOnce(&mut MeasuredPlatform<'_>) -> Result<BenchmarkReport>,
) -> Result<ExitCode> {
    let mut shutdown = Shutdown::listen()?;
    let mut servers = TemporaryServers::new(&[Program::Postgres, Program::Redis]).await?;
    let work = async {
        let mut platform = MeasuredPlatform::start(options, &mut servers).await?;
        let machine = machine::describe(&platform, options.prebuilt).await?;
        Ok::<_, anyhow::Error>((machine, benchmark(&mut platform).await?))
    };
    let outcome = tokio::select! {
        outcome = work => Some(outcome),
        () = shutdown.requested() => None,
    };
    servers.end(matches!(outcome, Some(Err(_)))).await?;
    let (machine, report) = outcome.context("stopped before it was done")??;
    let section = report.markdown(&machine);
    console::show(&section);
    if options.write {
        let path = report::write(&section)?;
        console::info(format_args!("Written to {}", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

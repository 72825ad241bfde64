//! `cargo stack bench`: measures a platform of its own, and notes the figures with the machine that they come from.
//!
//! Every bench starts the optimised services with servers of their own in a temporary folder (`platform`), and hands
//! back a section of `docs/benchmarks.md` (`section`, `document`). Nothing here is a test: no figure is right or wrong,
//! and the same bench on another machine, or on this one while it is busy, says something else.

mod database;
mod document;
mod events;
mod graph;
mod http;
mod load;
mod machine;
mod memory;
pub mod options;
mod platform;
mod schedule;
mod section;
mod spread;
mod times;

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::host::programs::Program;
use crate::host::shutdown::Stop;
use crate::host::{console, workspace};
use crate::proof::bench::machine::Machine;
use crate::proof::bench::options::{Bench, Run};
use crate::proof::bench::platform::Platform;
use crate::proof::bench::section::Section;
use crate::servers::pair::ThrowAway;

/// Runs the bench that was asked for.
pub async fn bench(bench: Bench) -> Result<ExitCode> {
    match &bench {
        Bench::Events(options) => measured(&options.run, async |platform| events::run(options, platform).await).await,
        Bench::Http(_) if cfg!(debug_assertions) => optimised().await,
        Bench::Http(options) => measured(&options.run, async |platform| http::run(options, platform).await).await,
        Bench::Graph(options) => measured(&options.run, async |platform| graph::run(options, platform).await).await,
    }
}

/// Does what was asked for by this tool itself with optimisation: without it, a driver keeps the cores so busy that it
/// measures itself.
async fn optimised() -> Result<ExitCode> {
    let mut stop = Stop::listen()?;
    let mut command = Command::new(workspace::build_itself().await?);
    command.args(std::env::args_os().skip(1));
    let status = workspace::run(&mut command, &mut stop).await?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Gives a platform to a bench, shows what it found out, and stops the platform, whatever came of it.
async fn measured(options: &Run, bench: impl AsyncFnOnce(&mut Platform<'_>) -> Result<Section>) -> Result<ExitCode> {
    let mut stop = Stop::listen()?;
    let mut servers = ThrowAway::new(&[Program::Postgres, Program::Redis]).await?;
    let work = async {
        let mut platform = Platform::start(options, &mut servers).await?;
        let machine = Machine::look(&platform, options.prebuilt).await?;
        Ok::<_, anyhow::Error>((machine, bench(&mut platform).await?))
    };
    let outcome = tokio::select! {
        outcome = work => Some(outcome),
        () = stop.asked() => None,
    };
    if let Some(Err(_)) = outcome {
        let folder = servers.leave().await?;
        console::tell(format_args!("Logs and data: {}", folder.display()));
    } else {
        servers.stop().await?;
    }
    let (machine, section) = outcome.context("stopped before it was done")??;
    console::show(section.text(&machine));
    if options.write {
        let path = document::write(&section.markdown(&machine))?;
        console::tell(format_args!("Written to {}", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// A duration as a latency is said: `3.42 ms`.
fn milliseconds(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1000.0)
}

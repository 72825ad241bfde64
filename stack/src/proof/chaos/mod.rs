//! `cargo stack chaos`: breaks a platform of its own under load and proves that nothing is lost and nothing counted twice.
//!
//! It starts Postgres, Redis and two replicas of every service in a temporary folder, the servers behind TCP proxies of
//! its own (`platform`, `proxy`). People sign up, write, answer, look, take back and leave, over HTTP alone (`people`,
//! `acts`), while faults fall as dice from the seed have them (`faults`, `plan`, `inject`): the same seed makes the same
//! faults at the same times and the same inclinations of people. What the platform answers is written down (`record`):
//! success is a promise, a refusal is none, and what timed out is unknown.
//!
//! Then everything is mended, and nothing is restarted that a fault did not end. When all events are applied (`quiet`) the
//! five schemas are asked in one snapshot (`checks`): every promise is kept, every event was applied by everybody who
//! listens, every counter equals a recount, no effect is there twice. A violation is printed with its ids and makes the
//! exit code 1, and leaves the logs and data of the run for a look.
//!
//! Postgres syncs every commit, for what it has said is what the promise is about. Redis has `appendfsync everysec`, and
//! loses its last moments when it is killed: the promise holds without it.

mod acts;
mod append_only;
mod checks;
pub mod faults;
mod inject;
mod listeners;
mod meters;
mod people;
mod plan;
mod platform;
mod proxy;
mod quiet;
mod record;
mod report;
mod world;

use std::{fs, path::Path, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use clap::Args;
use tokio::time::{Instant, interval};

use crate::host::programs::Program;
use crate::host::shutdown::Stop;
use crate::host::workspace::Build;
use crate::host::{arguments, console, programs};
use crate::proof::chaos::checks::{Kind, Violation};
use crate::proof::chaos::faults::Fault;
use crate::proof::chaos::inject::Injector;
use crate::proof::chaos::meters::Meters;
use crate::proof::chaos::platform::Platform;
use crate::proof::chaos::report::Report;
use crate::proof::chaos::world::World;
use crate::proof::redis::Redis;
use crate::servers::pair::ThrowAway;

/// How long people go on after the last fault is over.
const AFTERWARDS: Duration = Duration::from_secs(1);
/// How long the hashes may take to agree after everything else is quiet.
const HASHES: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub struct Chaos {
    /// The same number makes the same people and the same faults at the same times
    #[arg(long = "seed", value_name = "S", default_value_t = 1)]
    pub number: u64,
    /// How long people act and things break; starting, healing and checking come on top
    #[arg(long, value_name = "M", default_value_t = 2.0, value_parser = |text: &str| arguments::number(text, 0.1..=1440.0))]
    pub minutes: f64,
    /// What is broken, separated by commas; all of it when not given
    #[arg(long, value_name = "FAULTS", value_delimiter = ',', value_enum, hide_default_value = true,
        default_values_t = Fault::all())]
    pub faults: Vec<Fault>,
    #[command(flatten)]
    pub build: Build,
    /// When all is well, spoil the data in every way that the checks are there for, and see that each is found
    #[arg(long)]
    pub tamper: bool,
    /// Leave the logs and data of the run even when all is well
    #[arg(long)]
    pub keep: bool,
}

/// Breaks, mends, checks; the exit code is 1 when something is not as it must be.
pub async fn chaos(options: Chaos) -> Result<ExitCode> {
    let mut stop = Stop::listen()?;
    let mut servers = ThrowAway::new(&[Program::Postgres, Program::Redis]).await?;
    let outcome = tokio::select! {
        outcome = run(&options, &mut servers) => Some(outcome),
        () = stop.asked() => None,
    };
    // Before anything else can go wrong.
    if let Some(Err(error)) = &outcome {
        console::complain(error);
    }
    if options.keep || matches!(outcome, Some(Ok(false) | Err(_))) {
        let folder = servers.leave().await?;
        console::tell(format_args!("Logs and data: {}", folder.display()));
    } else {
        servers.stop().await?;
    }
    let kept = outcome.context("stopped before it was done")?;
    Ok(if kept.unwrap_or(false) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether everything is as it must be.
async fn run(options: &Chaos, servers: &mut ThrowAway) -> Result<bool> {
    let psql = programs::psql()?;
    let mut platform = Platform::start(&options.build, servers).await?;
    let length = Duration::from_secs_f64(options.minutes * 60.0);
    let plan = plan::plan(options.number, length, &options.faults, platform.replicas.len());
    let end = plan.iter().map(|planned| planned.until + AFTERWARDS).max().unwrap_or_default().max(length);
    console::show(format_args!("Seed {}, {} faults in {} s", options.number, plan.len(), end.as_secs()));

    let began = Instant::now();
    let world = Arc::new(World::new(&platform.replicas, began + end)?);
    let meters = Meters::start(&platform.replicas)?;
    let people = people::start(&world, options.number);
    let mut injector = Injector::default();
    injector.run(&mut platform, &plan, began).await?;
    tokio::select! {
        error = platform.first_end() => return Err(error.context("nobody had killed it")),
        finished = people::finish(people) => finished?,
    }

    console::tell("Mended; waiting until all is quiet");
    platform.ready().await?;
    let listeners = listeners::all(&platform.replicas).await?;
    let mended = Instant::now();
    let mut violations = quiet::wait(&platform, &psql, &listeners).await?;
    let quiet_after = mended.elapsed().saturating_sub(quiet::LOOKING);
    let beginning = {
        let record = world.record();
        violations.extend(record.unfounded().map(|((what, status), times)| {
            Violation::new(Kind::Wrong, format!("{what} was refused with {status}, {times} times"))
        }));
        violations.extend(record.failures().map(|(what, status, times)| {
            Violation::new(Kind::Wrong, format!("{what} was answered with {status}, {times} times"))
        }));
        checks::beginning(&listeners, &record)
    };
    violations.extend(checks::database(&psql, &platform.database, &beginning).await?);
    violations.extend(hashes(&platform, &psql).await?);
    violations.extend(panics(&platform)?);
    let events = checks::events(&psql, &platform.database).await?;
    let mut tampered = None;
    if options.tamper && violations.is_empty() {
        let found = checks::tamper(&psql, &platform.database, &beginning).await?;
        violations.extend(found.violations.iter().cloned());
        tampered = Some(found);
    }
    let report = Report {
        faults: &injector.done,
        record: &world.record(),
        events,
        quiet_after,
        meters: &meters,
        tampered: tampered.as_ref(),
        violations: &violations,
    };
    report.show();
    Ok(violations.is_empty())
}

/// Where the hashes differ, when they still do after some time: they are written after the fact.
async fn hashes(platform: &Platform<'_>, psql: &Path) -> Result<Vec<Violation>> {
    let expected = checks::hashes(psql, &platform.database).await?;
    let (began, mut turns) = (Instant::now(), interval(Duration::from_millis(500)));
    loop {
        turns.tick().await;
        let mut redis = Redis::open(&platform.redis).await?;
        let violations = checks::hashes_differ(&mut redis, &expected).await?;
        if violations.is_empty() || began.elapsed() > HASHES {
            return Ok(violations);
        }
    }
}

/// What services wrote to their logs that nobody may write.
fn panics(platform: &Platform<'_>) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for (name, log) in platform.logs()? {
        let text = fs::read(&log).with_context(|| format!("{} cannot be read", log.display()))?;
        let text = String::from_utf8_lossy(&text);
        let panics = text.lines().filter(|line| line.contains("panicked at"));
        violations.extend(panics.map(|line| Violation::new(Kind::Wrong, format!("{name}: {line}"))));
    }
    Ok(violations)
}

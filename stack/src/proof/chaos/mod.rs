//! `cargo stack chaos`: breaks a platform of its own under load and proves that nothing is lost and nothing counted twice.
//!
//! It starts Postgres, Redis and two replicas of every service in a temporary folder, the servers behind TCP proxies of
//! its own (`proxy`). Simulated users sign up, write, answer, read, delete, block, mute, report and leave, over HTTP alone
//! (`users`, `actions`), listeners link accounts of a `provider_stand_in` and share what they listen to (`listeners`), and moderators
//! decide about what was reported (`moderators`), after a `prelude` that makes one of everything which a short run might have none of.
//! Meanwhile faults are injected as they were drawn from the seed (`faults`, `plan`, `inject`): the same seed makes the same faults at
//! the same times and the same preferences of users. The answers of the platform are recorded (`promises`): success is a promise, a
//! refusal is none, and a request that timed out is unknown.
//!
//! Then every fault is undone, and no process is restarted that a fault did not end. When all events are applied (`settled`)
//! the five schemas are queried in one snapshot (`checks`): every promise is kept, every event was applied by every
//! subscriber, every counter equals a recount, no effect exists twice. A violation is printed with its ids, makes the exit
//! code 1, and leaves the logs and data of the run.
//!
//! Redis is one server, or a cluster of three primaries with a replica each. There its own faults are injected beside the others
//! (`shards`, `reshard`): primaries are killed, stopped and replaced, and slots move. Replication is asynchronous, so a takeover may
//! lose what was acknowledged; one that certainly does is injected, and its loss is counted, or the run would prove nothing.
//!
//! Postgres syncs every commit, because its answers are what the promise is about. Redis has `appendfsync everysec`, and
//! loses its last moments when it is killed: the promise holds without it.

mod actions;
mod append_only;
mod checks;
pub mod faults;
mod feeds;
mod hashes;
mod inject;
mod listeners;
mod metrics;
mod moderators;
mod mutations;
mod plan;
mod prelude;
mod promises;
mod provider_stand_in;
mod proxy;
mod relations;
mod report;
mod reshard;
mod settled;
mod shards;
mod users;
mod violation;
mod workload;

use std::fs;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use tokio::time::{Instant, interval};

use crate::host::programs::Program;
use crate::host::shutdown::Shutdown;
use crate::host::workspace::Build;
use crate::host::{arguments, console};
use crate::proof::chaos::faults::Fault;
use crate::proof::chaos::inject::FaultInjector;
use crate::proof::chaos::metrics::CounterTotals;
use crate::proof::chaos::provider_stand_in::ProviderStandIn;
use crate::proof::chaos::report::ChaosReport;
use crate::proof::chaos::violation::{Violation, ViolationKind};
use crate::proof::chaos::workload::Workload;
use crate::proof::platform::Platform;
use crate::proof::redis::RedisInspector;
use crate::servers::pooler::Pooler;
use crate::servers::postgres::Lifetime;
use crate::servers::redis::RedisKind;
use crate::servers::temporary::TemporaryServers;

/// Processes per service: with two there is always another one that takes work over, or is overtaken.
const REPLICAS: u16 = 2;
/// How long users go on after the last fault is over.
const AFTERWARDS: Duration = Duration::from_secs(1);
/// How long the hashes may take to agree after everything else has settled.
const HASHES_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub struct Chaos {
    /// The same number makes the same users and the same faults at the same times
    #[arg(long = "seed", value_name = "S", default_value_t = 1)]
    pub number: u64,
    /// How long users act and faults happen; starting, healing and checking come on top
    #[arg(long, value_name = "M", default_value_t = 2.0, value_parser = |text: &str| arguments::number(text, 0.1..=1440.0))]
    pub minutes: f64,
    /// Break a platform with one Redis, or with a Redis Cluster of three primaries with a replica each
    #[arg(long, value_name = "KIND", value_enum, default_value_t = RedisKind::Single)]
    pub redis: RedisKind,
    /// What is broken, separated by commas; all that such a Redis permits when not given
    #[arg(long, value_name = "FAULTS", value_delimiter = ',', value_enum)]
    pub faults: Vec<Fault>,
    /// Put a transaction pooler between the services and Postgres
    #[arg(long)]
    pub pooler: bool,
    #[command(flatten)]
    pub build: Build,
    /// When nothing is wrong, spoil the data in every way that the checks are there for, and see that each is found
    #[arg(long)]
    pub tamper: bool,
    /// Leave the logs and data of the run even when nothing is wrong
    #[arg(long)]
    pub keep: bool,
}

impl Chaos {
    /// What is broken: what was asked for, or all there is.
    pub fn chosen(&self) -> Result<Vec<Fault>> {
        if self.faults.is_empty() {
            return Ok(Fault::all(self.redis).collect());
        }
        if let Some(fault) = self.faults.iter().find(|fault| !fault.is_possible(self.redis)) {
            let kind = if fault.is_of_cluster() { "cluster" } else { "single" };
            bail!("{} needs --redis {kind}", fault.name());
        }
        Ok(self.faults.clone())
    }
}

/// Injects faults, undoes them, checks; the exit code is 1 when something is not as it must be.
pub async fn chaos(options: Chaos) -> Result<ExitCode> {
    let faults = options.chosen()?;
    let mut shutdown = Shutdown::listen()?;
    let mut servers = TemporaryServers::new(&[Program::Postgres, Program::Redis]).await?;
    let outcome = tokio::select! {
        outcome = run(&options, &faults, &mut servers) => Some(outcome),
        () = shutdown.requested() => None,
    };
    // Before anything else can go wrong.
    if let Some(Err(error)) = &outcome {
        console::error(error);
    }
    servers.end(options.keep || matches!(outcome, Some(Ok(false) | Err(_)))).await?;
    let passed = outcome.context("stopped before it was done")?;
    Ok(if passed.unwrap_or(false) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether everything is as it must be.
async fn run(options: &Chaos, faults: &[Fault], servers: &mut TemporaryServers) -> Result<bool> {
    // The servers have to keep their data: that is what is tested.
    let (redis, build, kept) = (options.redis, &options.build, Lifetime::Persistent);
    let mut platform = Platform::start_servers_with(redis, build, servers, REPLICAS, kept).await?;
    let mut injector = FaultInjector::install(&mut platform).await?;
    let pooler = if options.pooler { Some(Pooler::before(&platform.config.postgres).await?) } else { None };
    platform.config.pooler = pooler.as_ref().map(|pooler| pooler.port);
    let provider = ProviderStandIn::start().await?;
    platform.settings.extend(provider.settings());
    let (replicas, port_base) = (platform.replicas.clone(), platform.config.port_base);
    platform.start(&replicas).await?;
    let length = Duration::from_secs_f64(options.minutes * 60.0);
    let plan = plan::plan(options.number, length, faults, replicas.len());
    let end = plan.iter().map(|planned| planned.until + AFTERWARDS).max().unwrap_or_default().max(length);
    console::show(format_args!("Seed {}, {} faults in {} s", options.number, plan.len(), end.as_secs()));
    let moderators = moderators::appoint(&platform).await?;
    let prelude = prelude::play(&platform, &moderators).await?;
    let listeners = listeners::appoint(&platform).await?;

    let began = Instant::now();
    let workload = Arc::new(Workload::new(&replicas, port_base, began + end)?);
    let counters = CounterTotals::start(&replicas, port_base)?;
    let mut actors = users::start(&workload, options.number);
    moderators::start(&mut actors, &workload, moderators, options.number);
    listeners::start(&mut actors, &workload, listeners, options.number);
    injector.run(&mut platform, &plan, began).await?;
    tokio::select! {
        error = platform.processes().first_end() => return Err(error.context("it ended without a fault")),
        finished = users::finish(actors) => finished?,
    }

    console::info("Every fault is undone; waiting until the platform has settled");
    platform.start(&replicas).await?;
    let subscriptions = metrics::subscriptions(&replicas, port_base).await?;
    let undone = Instant::now();
    let mut violations = settled::wait(&platform, &subscriptions).await?;
    let settled_after = undone.elapsed().saturating_sub(settled::CONFIRMATION);
    violations.extend(feeds::read(&workload, options.number, prelude.session().await?).await);
    violations.extend(prelude.comment_on_locked(&platform.database).await?);
    let beginning = {
        let promises = workload.promises();
        violations.extend(promises.unfounded().map(|((what, status), times)| {
            Violation::new(ViolationKind::Wrong, format!("{what} was refused with {status}, {times} times"))
        }));
        violations.extend(promises.failures().map(|(what, status, times)| {
            Violation::new(ViolationKind::Wrong, format!("{what} was answered with {status}, {times} times"))
        }));
        checks::beginning(&subscriptions, &promises)
    };
    violations.extend(checks::database(&platform.database, &beginning).await?);
    violations.extend(check_hashes(&platform).await?);
    let expected = feeds::expected(&platform.database, &beginning).await?;
    violations.extend(feeds::missing(&mut RedisInspector::open(&platform.redis).await?, &expected).await?);
    violations.extend(find_panics(&platform)?);
    let takeovers = injector.shards.as_ref().map(|shards| (shards.takeovers, shards.lost));
    violations.extend(unproven(faults, takeovers));
    let events = checks::count_events(&platform.database).await?;
    let mut mutations = None;
    if options.tamper && violations.is_empty() {
        let results = mutations::run(&platform.database, &beginning, &checks::all()?).await?;
        violations.extend(results.violations.iter().cloned());
        mutations = Some(results);
    }
    let report = ChaosReport {
        faults: &injector.injected,
        promises: &workload.promises(),
        events,
        settled_after,
        counters: &counters,
        takeovers,
        mutations: mutations.as_ref(),
        violations: &violations,
    };
    report.show();
    Ok(violations.is_empty())
}

/// Takeovers were asked for, and none lost what was acknowledged: that nothing is missing then shows nothing.
fn unproven(faults: &[Fault], takeovers: Option<(u64, u64)>) -> Option<Violation> {
    let is_unproven = faults.contains(&Fault::TakeoverWithLoss) && takeovers.is_none_or(|(times, _)| times == 0);
    is_unproven.then(|| Violation::new(ViolationKind::Wrong, "no takeover lost what had been acknowledged"))
}

/// Where the hashes in Redis differ, when they still do after some time: they are written after the fact.
async fn check_hashes(platform: &Platform<'_>) -> Result<Vec<Violation>> {
    let expected = hashes::expected(&platform.database).await?;
    let (began, mut turns) = (Instant::now(), interval(Duration::from_millis(500)));
    loop {
        turns.tick().await;
        let mut redis = RedisInspector::open(&platform.redis).await?;
        let violations = hashes::differences(&mut redis, &expected).await?;
        if violations.is_empty() || began.elapsed() > HASHES_TIMEOUT {
            return Ok(violations);
        }
    }
}

/// Panics in the logs of the services.
fn find_panics(platform: &Platform<'_>) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for name in platform.replicas.iter().map(|replica| replica.name()) {
        let log = platform.folder().log(&name)?;
        let text = fs::read(&log).with_context(|| format!("{} cannot be read", log.display()))?;
        let text = String::from_utf8_lossy(&text);
        let panics = text.lines().filter(|line| line.contains("panicked at"));
        violations.extend(panics.map(|line| Violation::new(ViolationKind::Wrong, format!("{name}: {line}"))));
    }
    Ok(violations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_with_takeovers_of_which_none_lost_anything_proves_nothing() {
        let asked = [Fault::KillPrimary, Fault::TakeoverWithLoss];
        assert_eq!(unproven(&asked, Some((1, 50))), None);
        assert_eq!(unproven(&asked[..1], Some((0, 0))), None);
        let violation = unproven(&asked, Some((0, 0))).unwrap().to_string();
        assert_eq!(violation, "wrong: no takeover lost what had been acknowledged");
    }
}

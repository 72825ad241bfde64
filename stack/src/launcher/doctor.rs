//! `cargo stack doctor`: what would keep `up` with the same arguments from coming up on this machine; or, where its platform
//! runs, which of its processes are not ready.
//!
//! It changes nothing. Wherever it can it calls what `up` calls, so that both report a problem in the same sentence.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use nix::sys::statvfs::statvfs;

use crate::client;
use crate::host::programs::{self, Program};
use crate::host::reservations::PortReservations;
use crate::host::{console, workspace};
use crate::launcher::connections;
use crate::launcher::up::{self, Up};
use crate::platform::instances::check_ready;
use crate::platform::{ports, replicas};
use crate::servers::folder::{self, Folder};
use crate::servers::ledger::{self, Entry};
use crate::servers::postgres::{self, place};
use crate::servers::redis::{self, RedisKind};
use crate::servers::state::PersistedState;
use crate::servers::{cluster, private, psql};
use crate::system::{GATEWAY, SERVICES};

/// How long a service may take to report whether it is ready: it gives its servers 3 s.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
const MEBIBYTE: u64 = 1024 * 1024;
/// A platform that was just started takes 44 MiB; Postgres's log alone grows to 1 GiB under load (`max_wal_size`).
const DISK_TO_RUN: u64 = 256 * MEBIBYTE;

/// Checks everything that `cargo stack up` would need with these options; fails when there is a problem.
pub async fn doctor(options: Up) -> Result<ExitCode> {
    let data = std::path::absolute(options.data.path())?;
    let mut report = DoctorReport::default();
    if let Some(pid) = Folder::holder(&data) {
        report.add("ok", format!("the platform in {} is running (pid {pid})", data.display()));
        check_running(&data, &mut report).await?;
    } else {
        check_programs(&options, &mut report).await;
        check_servers(&options, &data, &mut report).await;
        let left = check_data(&data, &mut report);
        report.check("ports are free", check_ports(&options, &left));
        report.check("disk: enough for the data", check_disk(&data, DISK_TO_RUN));
    }
    Ok(report.show())
}

/// Whether each process of a running platform is ready.
async fn check_running(data: &Path, report: &mut DoctorReport) -> Result<()> {
    let (http, alive) = (client::http(ANSWER_TIMEOUT)?, ledger::alive(data)?);
    // While a process is replaced, two have its name.
    let names: BTreeSet<_> = alive.iter().map(|entry| &entry.name).collect();
    let count = |package: &str| names.iter().filter(|name| name.starts_with(package)).count();
    let replicas = SERVICES.iter().map(|service| count(service.package)).max().unwrap_or_default();
    let Some(base) = connections::port_base(data).filter(|_| replicas > 0) else {
        report.add("note", "its services have not been started yet");
        return Ok(());
    };
    for replica in replicas::all(u16::try_from(replicas)?) {
        let (name, url) = (replica.name(), replica.url(base));
        let log = data.join("logs").join(format!("{name}.log"));
        let ready = check_ready(&http, &url).await.map_err(|answer| {
            let answer = answer.unwrap_or_else(|| "it does not answer".to_owned());
            anyhow!("{name} is not ready: {answer}; its log is {}", log.display())
        });
        report.check(format!("{name} is ready: {url}"), ready);
    }
    if names.contains(&cluster::name(0)) {
        let state = PersistedState::read(data)?.context("the state of the platform is gone")?;
        let url = private::redis_url(&state, RedisKind::Cluster)?;
        report.check("the cluster of Redis is whole", cluster::check(data, &url).await);
    }
    Ok(())
}

/// The programs that are run, and the binaries of the services where they must have been built before.
async fn check_programs(options: &Up, report: &mut DoctorReport) {
    let programs = up::programs_for(options);
    let missing = programs::missing(&programs);
    for program in programs.iter().filter(|program| !missing.contains(program)) {
        report.check(format!("{} is installed", program.name()), program.check_version().await);
    }
    if !missing.is_empty() {
        let names = missing.iter().map(|program| program.name()).collect::<Vec<_>>().join(" and ");
        match programs::installer(&missing) {
            Ok(_) => report.add("note", format!("{names} not found: `cargo stack up` installs it with apt-get")),
            Err(error) => report.add("problem", format!("{error:#}")),
        }
    }
    if options.build.prebuilt {
        report.check("the services are built", workspace::prebuilt(options.build.release).map(drop));
    }
}

/// What private servers need, or the servers that were given by URL.
async fn check_servers(options: &Up, data: &Path, report: &mut DoctorReport) {
    if let Some(url) = &options.postgres_url {
        report.check("--postgres-url answers", psql::run(url, "select 1;").await.map(drop));
    } else if Program::Postgres.path().is_ok() {
        report.check("Postgres has a user to run as", place::user().map(drop));
        let elsewhere = PersistedState::read(data).ok().flatten().and_then(|state| state.postgres_elsewhere);
        let cluster = elsewhere.unwrap_or_else(|| data.join("postgres")).join("data");
        report.check("the data is of the installed version of Postgres", postgres::check_cluster(&cluster).await);
    }
    if let Some(url) = &options.redis_url {
        report.check("--redis-url answers", redis::reach(url).await);
    }
}

/// Whether the data folder can be used; the processes that a killed launcher left running in it.
fn check_data(data: &Path, report: &mut DoctorReport) -> Vec<Entry> {
    let usable = folder::check(data).and_then(|()| PersistedState::read(data).map(drop));
    report.check(format!("data folder {}", data.display()), usable);
    let left = ledger::alive(data).unwrap_or_default();
    if !left.is_empty() {
        let names: Vec<_> = left.iter().map(|entry| format!("{} (pid {})", entry.name, entry.pid)).collect();
        report.add(
            "note",
            format!("a killed launcher left running: {}; `cargo stack up` stops them first", names.join(", ")),
        );
    }
    left
}

/// Whether the ports of the services and the gateway are free, or will be when `left` has been stopped.
fn check_ports(options: &Up, left: &[Entry]) -> Result<()> {
    let is_left = |port: &u16| ports::owner(*port).is_some_and(|owner| left.iter().any(|entry| entry.pid == owner.pid));
    let mut wanted = Vec::new();
    if options.port_base != 0 {
        wanted = replicas::ports(options.port_base, options.replicas)?;
        wanted.retain(|(_, port)| !is_left(port));
    }
    let mut reservations = PortReservations::default();
    ports::reserve(&wanted, &mut reservations, "--port-base")?;
    let gateway = Some(options.gateway_port).filter(|port| options.has_gateway() && *port != 0 && !is_left(port));
    let gateway: Vec<_> = gateway.map(|port| (GATEWAY.to_owned(), port)).into_iter().collect();
    ports::reserve(&gateway, &mut reservations, "--gateway-port")
}

/// Whether the folder, or the nearest above it that there is, has this much room.
fn check_disk(folder: &Path, wanted: u64) -> Result<()> {
    let there = folder.ancestors().find(|folder| fs::exists(folder).unwrap_or(false)).context("there is no disk")?;
    let disk = statvfs(there).with_context(|| format!("the disk of {} cannot be read", there.display()))?;
    let free = disk.blocks_available() * disk.fragment_size();
    let mebibytes = |bytes| bytes / MEBIBYTE;
    ensure!(
        free >= wanted,
        "only {} MiB are free in {}, and it takes {} MiB; make room, or use --data-dir on another disk",
        mebibytes(free),
        there.display(),
        mebibytes(wanted)
    );
    Ok(())
}

/// One line for each check.
#[derive(Debug, Default)]
struct DoctorReport(Vec<(&'static str, String)>);

impl DoctorReport {
    fn add(&mut self, verdict: &'static str, sentence: impl Into<String>) {
        self.0.push((verdict, sentence.into()));
    }

    /// Adds the sentence, or the problem that there is instead.
    fn check(&mut self, sentence: impl Into<String>, outcome: Result<()>) {
        match outcome {
            Ok(()) => self.add("ok", sentence),
            Err(error) => self.add("problem", format!("{error:#}")),
        }
    }

    /// Prints it; its exit code is that of the command.
    fn show(&self) -> ExitCode {
        for (verdict, sentence) in &self.0 {
            // The output of a program may have several lines.
            let sentence = sentence.lines().map(str::trim).collect::<Vec<_>>().join(" ");
            console::show(format_args!("{verdict:7}  {sentence}"));
        }
        let problems = self.0.iter().filter(|(verdict, _)| *verdict == "problem").count();
        console::show(if problems == 0 { "\nNo problem was found.".into() } else { format!("\nProblems: {problems}") });
        ExitCode::from(u8::from(problems > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_a_problem_also_where_the_folder_does_not_exist_yet() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("not/there/yet");
        check_disk(&folder, 1).unwrap();
        let error = check_disk(&folder, u64::MAX).unwrap_err().to_string();
        assert!(error.starts_with("only ") && error.contains("--data-dir"), "{error}");
    }

    #[test]
    fn an_error_is_a_problem_with_all_its_causes() {
        let mut report = DoctorReport::default();
        report.check("fine", Ok(()));
        report.check("fine", Err(anyhow!("cause").context("effect")));
        assert_eq!(report.0, [("ok", "fine".to_owned()), ("problem", "effect: cause".to_owned())]);
        assert_eq!(report.show(), ExitCode::FAILURE);
    }
}

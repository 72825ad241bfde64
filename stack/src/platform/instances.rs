//! Starting processes of the services, and waiting until each answers `/health/ready` with 200.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::future::join_all;
use nix::unistd::Pid;
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use tokio::process::Command;
use tokio::time::{Instant, interval};

use crate::client;
use crate::host::console;
use crate::platform::config::PlatformConfig;
use crate::platform::replicas::{self, Replica};
use crate::servers::folder::Folder;
use crate::servers::process_kind::ProcessKind;
use crate::servers::processes::{ProcessEnd, Processes};

/// How long readiness may take: migrations on a slow disk included.
const READY_TIMEOUT: Duration = Duration::from_mins(2);
/// How long one answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the same answer may take where the service waits for a server that is not there.
const OUTAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// A process of a service or the gateway that was started.
#[derive(Debug, Clone)]
pub struct Instance {
    pub name: String,
    pub url: String,
    pub log: PathBuf,
    pub started: Instant,
}

impl Instance {
    /// Starts a replica, unless it runs, from the binaries by package; `extra` is added to its environment. It accepts from the
    /// socket, where one is given.
    pub fn start(
        replica: Replica,
        config: &PlatformConfig,
        binaries: &BTreeMap<String, PathBuf>,
        extra: &[(String, String)],
        folder: &Folder,
        processes: &mut Processes,
        socket: Option<TcpListener>,
    ) -> Result<Instance> {
        let (name, url, started) = (replica.name(), replica.url(config.port_base), Instant::now());
        let log = folder.log(&name)?;
        if !processes.has(&name) {
            let package = replica.service.package;
            let binary = binaries.get(package).with_context(|| format!("cargo built no {package}"))?;
            let mut command = Command::new(binary);
            command.envs(config.environment(replica)?).envs(extra.iter().cloned());
            // Why a process ended is in the last lines of its log, where the backtrace of an error would take its place.
            command.env("RUST_LIB_BACKTRACE", "0");
            processes.start_with(ProcessKind::Service, &name, command, &log, socket)?;
        }
        Ok(Instance { name, url, log, started })
    }
}

/// Waits until all are ready and reports how long each took. Fails when a process ends meanwhile.
pub async fn wait_until_ready(processes: &mut Processes, instances: &[Instance]) -> Result<()> {
    let http = client::http(ANSWER_TIMEOUT)?;
    let spinner = console::spinner("Waiting for the services");
    let waits = instances.iter().map(async |instance| {
        let mut last_answer = "it does not answer".to_owned();
        let mut turns = interval(Duration::from_millis(20));
        while instance.started.elapsed() < READY_TIMEOUT {
            turns.tick().await;
            match check_ready(&http, &instance.url).await {
                Ok(()) => {
                    let took = console::seconds(instance.started.elapsed());
                    spinner.suspend(|| console::info(format_args!("{} is ready after {took}", instance.name)));
                    return None;
                }
                Err(answer) => last_answer = answer.unwrap_or(last_answer),
            }
        }
        Some(format!("{} ({last_answer}; its log is {})", instance.name, instance.log.display()))
    });
    let late = tokio::select! {
        error = processes.first_end() => Err(error),
        late = join_all(waits) => Ok(late.into_iter().flatten().collect::<Vec<_>>()),
    };
    spinner.finish_and_clear();
    let late = late?;
    ensure!(late.is_empty(), "not ready after {} s: {}", READY_TIMEOUT.as_secs(), late.join(", "));
    Ok(())
}

/// Waits until all answer, and reports which are not ready and why: they were started before what they need.
pub async fn wait_until_live(processes: &mut Processes, instances: &[Instance]) -> Result<()> {
    let http = client::http(OUTAGE_TIMEOUT)?;
    for instance in instances {
        let answers = async || http.get(format!("{}/health/live", instance.url)).send().await.is_ok();
        processes.until(&instance.name, READY_TIMEOUT, answers).await?;
    }
    let answers = instances.iter().map(|instance| check_ready(&http, &instance.url));
    for (instance, answer) in instances.iter().zip(join_all(answers).await) {
        if let Err(answer) = answer {
            let answer = answer.unwrap_or_else(|| "it does not say whether it is ready".to_owned());
            console::info(format_args!("{} runs and is not ready: {answer}", instance.name));
        }
    }
    Ok(())
}

/// Whose answer it is whether requests may be sent to an address.
#[derive(Deserialize)]
struct Serving {
    process: i32,
}

/// Asks at once: of the processes that share an address each then gets a connection, however the system gives them out.
const ASKED_AT_ONCE: usize = 4;

/// Waits until this very process serves at an address, which it may share.
pub async fn wait_until_serves(url: &str, pid: Pid) -> Result<()> {
    let url = format!("{url}/health/serve");
    // Every time a connection of its own: one that is kept would lead to the same process again.
    let http = Client::builder().timeout(ANSWER_TIMEOUT).no_proxy().pool_max_idle_per_host(0).build()?;
    let (began, mut turns) = (Instant::now(), interval(Duration::from_millis(20)));
    while began.elapsed() < READY_TIMEOUT {
        turns.tick().await;
        let serves = async || {
            let answer = http.get(&url).send().await.ok()?.error_for_status().ok()?;
            Some(answer.json::<Serving>().await.ok()?.process == pid.as_raw())
        };
        if join_all((0..ASKED_AT_ONCE).map(|_| serves())).await.contains(&Some(true)) {
            return Ok(());
        }
    }
    bail!("it does not serve after {} s", READY_TIMEOUT.as_secs())
}

/// Whether the platform goes on without a process that has ended: its work goes to the other replicas of its service. An error
/// when there is none.
pub fn check_survival(processes: &Processes, end: ProcessEnd, replicas: u16) -> Result<()> {
    let ProcessEnd { name, replaced, error } = end;
    if replaced {
        return Ok(());
    }
    let siblings = replicas::siblings(&name, replicas);
    let others: Vec<_> = siblings.into_iter().filter(|other| processes.has(other)).collect();
    if others.is_empty() {
        return Err(error);
    }
    console::info(format_args!("{error:#}\nIts work goes to {}", others.join(", ")));
    Ok(())
}

/// Asks the process at an address whether it is ready; the error is its answer, or none when it does not answer.
pub async fn check_ready(http: &Client, url: &str) -> Result<(), Option<String>> {
    let answer = http.get(format!("{url}/health/ready")).send().await.map_err(|_| None)?;
    let status = answer.status();
    if status == StatusCode::OK {
        return Ok(());
    }
    Err(Some(format!("it answers {status} {}", answer.text().await.unwrap_or_default())))
}

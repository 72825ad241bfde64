//! Replacing the processes of a running platform, one at a time, so that no address is ever without one that serves.
//!
//! 1. The new process starts beside the old one, with the socket that the old one accepts from, and accepts from it once its
//!    tables are there: migrations have run, and the old version goes on with the new tables meanwhile.
//! 2. As soon as the new one answers `/health/serve` at the address that they share, the old one gets SIGTERM. It serves on
//!    for its `DRAIN_SECONDS` and gives up each kept connection with an answer, then finishes what is under way and ends.
//! 3. The next one is replaced while the old one drains.
//!
//! Where a new process ends or does not come to serve, the old one stays, nothing further is replaced, and what was replaced
//! before serves on.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow};
use tokio::time::{Instant, timeout_at};

use crate::host::console;
use crate::host::workspace::{Build, binaries_in};
use crate::launcher::control::{Caller, Reply};
use crate::platform::config::PlatformConfig;
use crate::platform::instances::{Instance, check_survival, wait_until_serves};
use crate::platform::replicas::{self, Replica};
use crate::servers::folder::Folder;
use crate::servers::processes::Processes;
use crate::system::Service;

/// How long the old processes may take to end: the longest that a service can be set to drain, and its promise of 10 s.
const END_TIMEOUT: Duration = Duration::from_secs(300 + 12);

/// How a roll ends when it is not done.
enum Failure {
    /// Nothing further was replaced; the platform is complete.
    Refused(Error),
    /// The platform is no longer complete.
    Incomplete(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Refused(error)
    }
}

/// What processes are started anew with.
pub struct Rolling<'a> {
    pub build: &'a Build,
    pub config: &'a PlatformConfig,
    pub folder: &'a Folder,
    pub replicas: u16,
    /// What a service's processes get beside the configuration.
    pub extra: &'a dyn Fn(&Service) -> Vec<(String, String)>,
}

impl Rolling<'_> {
    /// Replaces the processes of these services, or of all, by the binaries of a folder or by new ones, and reports each to the
    /// caller. An error only when the platform is no longer complete.
    pub async fn roll(
        &self,
        services: &[String],
        from: Option<&Path>,
        processes: &mut Processes,
        caller: &mut Caller,
    ) -> Result<()> {
        let began = Instant::now();
        match self.replace_all(services, from, processes, caller).await {
            Ok(count) => {
                let took = console::seconds(began.elapsed());
                caller
                    .reply(&Reply::Done(format!("Replaced {count} processes in {took}; all old ones have ended")))
                    .await;
                Ok(())
            }
            Err(Failure::Refused(error)) => {
                console::error(&error);
                caller.reply(&Reply::Failed(format!("{error:#}"))).await;
                Ok(())
            }
            Err(Failure::Incomplete(error)) => {
                caller.reply(&Reply::Failed(format!("the platform stops: {error:#}"))).await;
                Err(error)
            }
        }
    }

    async fn replace_all(
        &self,
        services: &[String],
        from: Option<&Path>,
        processes: &mut Processes,
        caller: &mut Caller,
    ) -> Result<usize, Failure> {
        let binaries = match from {
            Some(folder) => binaries_in(folder)?,
            None => self.meanwhile(processes, "", self.build.binaries()).await?,
        };
        let wanted = |replica: &Replica| services.is_empty() || services.iter().any(|s| s == replica.service.package);
        let mut count = 0;
        for replica in replicas::all(self.replicas).filter(wanted) {
            let (name, began, extra) = (replica.name(), Instant::now(), (self.extra)(replica.service));
            let before = processes.pid(&name).map(|pid| format!(" in place of {pid}")).unwrap_or_default();
            let socket = match processes.replace(&name)? {
                None if processes.replaced().iter().any(|(replaced, _)| *replaced == name) => {
                    processes.reinstate(&name);
                    let why =
                        anyhow!("{name} listens for itself, since HOST or PORT is set: nothing can take its place");
                    return Err(Failure::Refused(why));
                }
                socket => socket,
            };
            let new = Instance::start(replica, self.config, &binaries, &extra, self.folder, processes, socket);
            match self.wait(processes, new).await {
                Ok(()) => {}
                Err(Failure::Refused(error)) => {
                    processes.kill(&name).await?;
                    processes.reinstate(&name);
                    let left = if processes.has(&name) {
                        "the process before it serves on"
                    } else {
                        "no process has its name"
                    };
                    let error = error.context(format!("{name} was not replaced: {left}; replaced before it: {count}"));
                    return Err(Failure::Refused(error));
                }
                Err(incomplete) => return Err(incomplete),
            }
            processes.drain(&name)?;
            count += 1;
            let pid = processes.pid(&name).map(|pid| pid.to_string()).unwrap_or_default();
            let line = format!("{name}: process {pid} serves after {}{before}", console::seconds(began.elapsed()));
            console::info(&line);
            caller.reply(&Reply::Progress(line)).await;
        }
        self.wait_for_ends(processes).await?;
        Ok(count)
    }

    /// Waits until a process that was started serves.
    async fn wait(&self, processes: &mut Processes, new: Result<Instance>) -> Result<(), Failure> {
        let Instance { name, url, log, .. } = new?;
        let pid = processes.pid(&name).with_context(|| format!("{name} was not started"))?;
        let serves = async {
            let serves = wait_until_serves(&url, pid).await;
            serves.with_context(|| format!("{name} (its log is {})", log.display()))
        };
        self.meanwhile(processes, &name, serves).await
    }

    /// Waits until the processes that were replaced have ended, and kills those that do not.
    async fn wait_for_ends(&self, processes: &mut Processes) -> Result<(), Failure> {
        let deadline = Instant::now() + END_TIMEOUT;
        while let [(late, _), ..] = &processes.replaced()[..] {
            let Ok(end) = timeout_at(deadline, processes.next_end()).await else {
                processes.kill_replaced().await?;
                return Err(anyhow!("the old {late} did not end within {} s; killed", END_TIMEOUT.as_secs()).into());
            };
            check_survival(processes, end?, self.replicas).map_err(Failure::Incomplete)?;
        }
        Ok(())
    }

    /// The outcome of some work, while ends of processes are noticed: that of the process `name` fails the work.
    async fn meanwhile<T>(
        &self,
        processes: &mut Processes,
        name: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T, Failure> {
        tokio::pin!(work);
        loop {
            let end = tokio::select! {
                outcome = &mut work => return Ok(outcome?),
                end = processes.next_end() => end?,
            };
            if end.name == name && !end.replaced {
                return Err(Failure::Refused(end.error));
            }
            check_survival(processes, end, self.replicas).map_err(Failure::Incomplete)?;
        }
    }
}

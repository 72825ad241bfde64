//! Processes that the launcher started: where they write, how they end, in which order they are stopped.

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Error, Result, anyhow};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    process::{Child, Command},
    signal::unix::{Signal as Signals, SignalKind, signal},
    time::{Instant, interval, timeout},
};

use crate::host::console;
use crate::servers::ledger::{Entry, Ledger};
use crate::servers::stage::Stage;

/// Lines of a log that are shown when its process has died.
const LAST_LINES: usize = 15;
/// How often a server that is being started is asked whether it is ready.
const PROBE_EVERY: Duration = Duration::from_millis(20);

#[derive(Debug)]
struct Process {
    name: String,
    stage: Stage,
    log: PathBuf,
    child: Child,
    pid: Pid,
}

/// The end of a process that nobody asked for.
#[derive(Debug)]
pub struct End {
    pub name: String,
    /// How it ended, and what it wrote last.
    pub error: Error,
}

/// All processes of one platform. Dropping it kills them; `stop` asks them politely first.
#[derive(Debug)]
pub struct Running {
    processes: Vec<Process>,
    /// Logs of this run; what an earlier run wrote is written over.
    logs: BTreeSet<PathBuf>,
    ledger: Ledger,
    /// Wakes when any child has ended.
    ends: Signals,
}

impl Running {
    pub fn new(ledger: Ledger) -> Result<Running> {
        let ends = signal(SignalKind::child()).context("the end of a process cannot be noticed")?;
        Ok(Running { processes: Vec::new(), logs: BTreeSet::new(), ledger, ends })
    }

    pub fn is_empty(&self) -> bool {
        self.processes.is_empty()
    }

    /// Starts a process that writes to a log of its own.
    pub fn start(&mut self, stage: Stage, name: &str, mut command: Command, log: &Path) -> Result<()> {
        let output = self.open(log).with_context(|| format!("{} cannot be written", log.display()))?;
        let errors = output.try_clone().context("its log cannot be opened twice")?;
        let program = command.as_std().get_program().to_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            // Ctrl-C reaches the launcher only, which then stops everything in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{name} does not start: {} cannot be run", program.display()))?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).with_context(|| format!("{name} has no pid"))?;
        self.ledger.add(Entry::of(name, stage, id))?;
        let log = log.to_owned();
        self.processes.push(Process { name: name.to_owned(), stage, log, child, pid: Pid::from_raw(id) });
        Ok(())
    }

    /// A log, empty at first; a process that is started again writes on behind what it wrote before.
    fn open(&mut self, log: &Path) -> std::io::Result<fs::File> {
        let again = !self.logs.insert(log.to_owned());
        OpenOptions::new().create(true).write(true).append(again).truncate(!again).open(log)
    }

    /// Whether a process of that name was started and not killed.
    pub fn has(&self, name: &str) -> bool {
        self.processes.iter().any(|process| process.name == name)
    }

    /// The id of a process that was started and not killed.
    pub fn pid(&self, name: &str) -> Option<Pid> {
        self.processes.iter().find(|process| process.name == name).map(|process| process.pid)
    }

    /// Sends a signal to a process; none that is known runs under that name: nothing happens.
    pub fn signal(&self, name: &str, signal: Signal) -> Result<()> {
        let Some(process) = self.processes.iter().find(|process| process.name == name) else { return Ok(()) };
        kill(process.pid, signal).with_context(|| format!("{signal} cannot be sent to {name}"))
    }

    /// Kills a process as a crash would, waits until it is gone, and forgets it.
    pub async fn kill(&mut self, name: &str) -> Result<()> {
        let Some(place) = self.processes.iter().position(|process| process.name == name) else { return Ok(()) };
        let mut process = self.processes.remove(place);
        if process.child.try_wait()?.is_some() {
            return Ok(());
        }
        process.child.kill().await.with_context(|| format!("{name} cannot be killed"))
    }

    /// Returns when a process has ended by itself, and says which, how, and what it wrote last.
    pub async fn first_end(&mut self) -> Error {
        match self.ended().await {
            Ok((place, status)) => self.processes[place].obituary(status),
            Err(error) => error,
        }
    }

    /// The same, and forgets the process: the others go on.
    pub async fn next_end(&mut self) -> Result<End> {
        let (place, status) = self.ended().await?;
        let process = self.processes.remove(place);
        Ok(End { error: process.obituary(status), name: process.name })
    }

    async fn ended(&mut self) -> Result<(usize, ExitStatus)> {
        loop {
            for (place, process) in self.processes.iter_mut().enumerate() {
                let watched = process.child.try_wait();
                if let Some(status) = watched.with_context(|| format!("{} cannot be watched", process.name))? {
                    return Ok((place, status));
                }
            }
            self.ends.recv().await.context("the end of processes cannot be noticed any more")?;
        }
    }

    /// Waits until `probe` says yes; fails when any process ends before, or after `patience`.
    pub async fn until(&mut self, name: &str, patience: Duration, probe: impl AsyncFn() -> bool) -> Result<()> {
        let log = self.processes.iter().find(|process| process.name == name).map(|process| process.log.clone());
        let ready = async {
            let mut look = interval(PROBE_EVERY);
            while !probe().await {
                look.tick().await;
            }
        };
        tokio::select! {
            error = self.first_end() => Err(error),
            answer = timeout(patience, ready) => answer.map_err(|_| {
                let last = log.map(|log| last_lines(&log)).unwrap_or_default();
                anyhow!("{name} is not ready after {} s{last}", patience.as_secs())
            }),
        }
    }

    /// Stops everything: the gateway, services, then Redis, then Postgres; kills what does not stop in time.
    pub async fn stop(&mut self) -> Result<()> {
        for stage in Stage::STOPPING_ORDER {
            let mut stopping: Vec<_> = self.processes.iter_mut().filter(|process| process.stage == stage).collect();
            for process in &mut stopping {
                if process.child.try_wait()?.is_none() {
                    // One that sleeps under SIGSTOP has to wake up to hear it.
                    kill(process.pid, stage.stop_signal())
                        .and_then(|()| kill(process.pid, Signal::SIGCONT))
                        .with_context(|| format!("{} cannot be stopped", process.name))?;
                }
            }
            let deadline = Instant::now() + stage.patience();
            for process in stopping {
                if tokio::time::timeout_at(deadline, process.child.wait()).await.is_err() {
                    let seconds = stage.patience().as_secs();
                    console::tell(format_args!("{} does not stop within {seconds} s; killed", process.name));
                    process.child.kill().await.with_context(|| format!("{} cannot be killed", process.name))?;
                }
            }
        }
        self.processes.clear();
        self.ledger.clear()
    }
}

impl Process {
    fn obituary(&self, status: ExitStatus) -> Error {
        anyhow!("{} ended ({status}){}", self.name, last_lines(&self.log))
    }
}

/// The end of a log, as the end of a sentence.
fn last_lines(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.is_empty() {
        return format!("; it wrote nothing to {}", log.display());
    }
    let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
    format!("; the last lines of {}:\n    {}", log.display(), last.join("\n    "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servers::folder::Folder;

    async fn running(folder: &Folder) -> Running {
        Running::new(Ledger::open(folder).await.unwrap()).unwrap()
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn a_process_that_dies_is_named_with_the_end_of_its_log() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::claim(home.path()).unwrap();
        let mut running = running(&folder).await;
        let log = folder.log("post-service").unwrap();
        running.start(Stage::Redis, "redis", shell("exec sleep 600"), &folder.log("redis").unwrap()).unwrap();
        let script = shell("seq 100; echo no database >&2; exit 3");
        running.start(Stage::Service, "post-service", script, &log).unwrap();

        let error = running.first_end().await.to_string();

        assert!(error.starts_with("post-service ended (exit status: 3); the last lines of "), "{error}");
        assert!(error.ends_with("    100\n    no database"), "{error}");
        assert_eq!(error.lines().count(), 1 + LAST_LINES);
        running.stop().await.unwrap();
    }

    #[tokio::test]
    async fn a_server_that_never_gets_ready_is_given_up() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::claim(home.path()).unwrap();
        let mut running = running(&folder).await;
        running.start(Stage::Redis, "redis", shell("exec sleep 600"), &folder.log("redis").unwrap()).unwrap();

        let error = running.until("redis", Duration::ZERO, async || false).await.unwrap_err().to_string();

        assert!(error.starts_with("redis is not ready after 0 s; it wrote nothing to "), "{error}");
        running.stop().await.unwrap();
    }

    #[tokio::test]
    async fn a_program_that_is_missing_is_named() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::claim(home.path()).unwrap();
        let log = folder.log("redis").unwrap();
        let mut running = running(&folder).await;
        let error = running.start(Stage::Redis, "redis", Command::new("/no/such/program"), &log).unwrap_err();
        assert_eq!(error.to_string(), "redis does not start: /no/such/program cannot be run");
    }
}

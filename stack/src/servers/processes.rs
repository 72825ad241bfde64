//! Processes that the launcher started: their logs, their ends, and the order in which they are stopped.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};
use tokio::time::{Instant, interval, timeout};

use crate::host::console;
use crate::servers::ledger::{Entry, Ledger};
use crate::servers::process_kind::ProcessKind;

/// Lines of a log that are shown when its process has died.
const LAST_LINES: usize = 15;
/// How often a server that is being started is asked whether it is ready.
const PROBE_EVERY: Duration = Duration::from_millis(20);

#[derive(Debug)]
struct Process {
    name: String,
    kind: ProcessKind,
    log: PathBuf,
    child: Child,
    pid: Pid,
    /// The socket that it accepts from, where it was given one: for the process that takes its place.
    socket: Option<TcpListener>,
    /// Whether another process takes its place, or has taken it.
    replaced: bool,
}

/// The unexpected end of a process.
#[derive(Debug)]
pub struct ProcessEnd {
    pub name: String,
    /// Whether it had been replaced, so that its end was expected.
    pub replaced: bool,
    /// How it ended, and the end of its log.
    pub error: Error,
}

/// All processes of one platform. Dropping it kills them; `stop` asks them politely first.
#[derive(Debug)]
pub struct Processes {
    children: Vec<Process>,
    /// Logs of this run; what an earlier run wrote is written over.
    logs: BTreeSet<PathBuf>,
    ledger: Ledger,
    /// Wakes when any child has ended.
    ends: Signals,
}

impl Processes {
    pub fn new(ledger: Ledger) -> Result<Processes> {
        let ends = signal(SignalKind::child()).context("the end of a process cannot be noticed")?;
        Ok(Processes { children: Vec::new(), logs: BTreeSet::new(), ledger, ends })
    }

    pub fn is_empty(&self) -> bool {
        self.children.is_empty()
    }

    /// Starts a process that writes to a log of its own.
    pub fn start(&mut self, kind: ProcessKind, name: &str, command: Command, log: &Path) -> Result<()> {
        self.start_with(kind, name, command, log, None)
    }

    /// The same, of one that accepts from a socket, where one is given, and gets it as its standard input.
    pub fn start_with(
        &mut self,
        kind: ProcessKind,
        name: &str,
        mut command: Command,
        log: &Path,
        socket: Option<TcpListener>,
    ) -> Result<()> {
        let passed = socket.as_ref().map(TcpListener::try_clone).transpose().context("its socket cannot be passed")?;
        let output = self.open(log).with_context(|| format!("{} cannot be written", log.display()))?;
        let errors = output.try_clone().context("its log cannot be opened twice")?;
        let program = command.as_std().get_program().to_owned();
        let child = command
            .stdin(passed.map_or_else(Stdio::null, |socket| OwnedFd::from(socket).into()))
            .stdout(output)
            .stderr(errors)
            // Ctrl-C reaches the launcher only, which then stops everything in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{name} does not start: {} cannot be run", program.display()))?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).with_context(|| format!("{name} has no pid"))?;
        self.ledger.add(Entry::of(name, kind, id))?;
        let (name, log, pid) = (name.to_owned(), log.to_owned(), Pid::from_raw(id));
        self.children.push(Process { name, kind, log, child, pid, socket, replaced: false });
        Ok(())
    }

    /// A log, empty at first; a process that is started again writes on behind what it wrote before.
    fn open(&mut self, log: &Path) -> std::io::Result<fs::File> {
        if self.logs.insert(log.to_owned()) {
            File::create(log)?;
        }
        OpenOptions::new().append(true).open(log)
    }

    /// Whether a process of that name was started and not killed.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The process of a name that no other one replaces.
    fn find(&self, name: &str) -> Option<&Process> {
        self.children.iter().find(|process| process.name == name && !process.replaced)
    }

    /// The id of a process that was started and not killed.
    pub fn pid(&self, name: &str) -> Option<Pid> {
        self.find(name).map(|process| process.pid)
    }

    /// Sends a signal to a process; none that is known runs under that name: nothing happens.
    pub fn signal(&self, name: &str, signal: Signal) -> Result<()> {
        let Some(process) = self.find(name) else { return Ok(()) };
        kill(process.pid, signal).with_context(|| format!("{signal} cannot be sent to {name}"))
    }

    /// Kills a process as a crash would, waits until it is gone, and forgets it.
    pub async fn kill(&mut self, name: &str) -> Result<()> {
        let Some(pid) = self.pid(name) else { return Ok(()) };
        self.kill_pid(pid).await
    }

    async fn kill_pid(&mut self, pid: Pid) -> Result<()> {
        let Some(place) = self.children.iter().position(|process| process.pid == pid) else { return Ok(()) };
        let mut process = self.children.remove(place);
        if process.child.try_wait()?.is_none() {
            process.child.kill().await.with_context(|| format!("{} cannot be killed", process.name))?;
        }
        self.ledger.remove(pid.as_raw())
    }

    /// Lets a process of the same name be started beside the one that there is, which goes on; the socket for it.
    pub fn replace(&mut self, name: &str) -> Result<Option<TcpListener>> {
        let process = self.children.iter_mut().find(|process| process.name == name && !process.replaced);
        let Some(process) = process else { return Ok(None) };
        let socket = process.socket.as_ref().map(TcpListener::try_clone).transpose();
        process.replaced = true;
        socket.with_context(|| format!("the socket of {name} cannot be passed on"))
    }

    /// Gives a process its name back: the one that was to replace it is gone.
    pub fn reinstate(&mut self, name: &str) {
        for process in self.children.iter_mut().filter(|process| process.name == name) {
            process.replaced = false;
        }
    }

    /// Asks the process that was replaced under a name to drain and end.
    pub fn drain(&self, name: &str) -> Result<()> {
        for process in self.children.iter().filter(|process| process.name == name && process.replaced) {
            kill(process.pid, Signal::SIGTERM).with_context(|| format!("{name} cannot be asked to end"))?;
        }
        Ok(())
    }

    /// The processes that were replaced and have not ended, by name and id.
    pub fn replaced(&self) -> Vec<(String, Pid)> {
        let replaced = self.children.iter().filter(|process| process.replaced);
        replaced.map(|process| (process.name.clone(), process.pid)).collect()
    }

    /// Kills those of them that do not end.
    pub async fn kill_replaced(&mut self) -> Result<()> {
        for (_, pid) in self.replaced() {
            self.kill_pid(pid).await?;
        }
        Ok(())
    }

    /// Returns when a process has ended by itself; the error has the end of its log.
    pub async fn first_end(&mut self) -> Error {
        self.next_end().await.map_or_else(|error| error, |end| end.error)
    }

    /// The same with its name. The process is removed, the others go on.
    pub async fn next_end(&mut self) -> Result<ProcessEnd> {
        loop {
            for place in 0..self.children.len() {
                let Process { name, child, .. } = &mut self.children[place];
                if let Some(status) = child.try_wait().with_context(|| format!("{name} cannot be watched"))? {
                    let process = self.children.remove(place);
                    self.ledger.remove(process.pid.as_raw())?;
                    let error = process.end_error(status);
                    return Ok(ProcessEnd { name: process.name, replaced: process.replaced, error });
                }
            }
            self.ends.recv().await.context("the end of processes cannot be noticed any more")?;
        }
    }

    /// Waits until `probe` is true; fails when any process ends before, or after `limit`.
    pub async fn until(&mut self, name: &str, limit: Duration, probe: impl AsyncFn() -> bool) -> Result<()> {
        let log = self.find(name).map(|process| process.log.clone());
        let ready = async {
            let mut look = interval(PROBE_EVERY);
            while !probe().await {
                look.tick().await;
            }
        };
        tokio::select! {
            error = self.first_end() => Err(error),
            answer = timeout(limit, ready) => answer.map_err(|_| {
                let last = log.map(|log| last_lines(&log)).unwrap_or_default();
                anyhow!("{name} is not ready after {} s{last}", limit.as_secs())
            }),
        }
    }

    /// Stops everything: the gateway, services, then Redis, then Postgres; kills what does not stop in time.
    pub async fn stop(&mut self) -> Result<()> {
        for kind in ProcessKind::STOPPING_ORDER {
            let mut stopping: Vec<_> = self.children.iter_mut().filter(|process| process.kind == kind).collect();
            for process in &mut stopping {
                if process.child.try_wait()?.is_none() {
                    // A process that was stopped by SIGSTOP receives nothing before it goes on.
                    kill(process.pid, kind.stop_signal())
                        .and_then(|()| kill(process.pid, Signal::SIGCONT))
                        .with_context(|| format!("{} cannot be stopped", process.name))?;
                }
            }
            let deadline = Instant::now() + kind.stop_timeout();
            for process in stopping {
                if tokio::time::timeout_at(deadline, process.child.wait()).await.is_err() {
                    let seconds = kind.stop_timeout().as_secs();
                    console::info(format_args!("{} does not stop within {seconds} s; killed", process.name));
                    process.child.kill().await.with_context(|| format!("{} cannot be killed", process.name))?;
                }
            }
        }
        self.children.clear();
        self.ledger.clear()
    }
}

impl Process {
    fn end_error(&self, status: ExitStatus) -> Error {
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

    async fn processes(folder: &Folder) -> Processes {
        Processes::new(Ledger::open(folder).await.unwrap()).unwrap()
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
        let mut processes = processes(&folder).await;
        let log = folder.log("post-service").unwrap();
        processes.start(ProcessKind::Redis, "redis", shell("exec sleep 600"), &folder.log("redis").unwrap()).unwrap();
        let script = shell("seq 100; echo no database >&2; exit 3");
        processes.start(ProcessKind::Service, "post-service", script, &log).unwrap();

        let error = processes.first_end().await.to_string();

        assert!(error.starts_with("post-service ended (exit status: 3); the last lines of "), "{error}");
        assert!(error.ends_with("    100\n    no database"), "{error}");
        assert_eq!(error.lines().count(), 1 + LAST_LINES);
        processes.stop().await.unwrap();
    }

    #[tokio::test]
    async fn a_process_goes_on_until_the_one_that_got_its_socket_replaces_it() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::claim(home.path()).unwrap();
        let mut processes = processes(&folder).await;
        let (name, log) = ("post-service", folder.log("post-service").unwrap());
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        processes.start_with(ProcessKind::Service, name, shell("exec sleep 600"), &log, Some(socket)).unwrap();
        let old = processes.pid(name);

        let passed = processes.replace(name).unwrap().unwrap();
        assert_eq!((passed.local_addr().unwrap(), processes.has(name)), (address, false));
        let script = shell("readlink /proc/self/fd/0; exit 3");
        processes.start_with(ProcessKind::Service, name, script, &log, Some(passed)).unwrap();
        let end = processes.next_end().await.unwrap();
        assert!(!end.replaced && end.error.to_string().contains("socket:["), "{end:?}");
        processes.reinstate(name);
        assert_eq!(processes.pid(name), old);

        let passed = processes.replace(name).unwrap();
        processes.start_with(ProcessKind::Service, name, shell("exec sleep 600"), &log, passed).unwrap();
        processes.drain(name).unwrap();
        assert_eq!(processes.replaced(), [(name.to_owned(), old.unwrap())]);
        let end = processes.next_end().await.unwrap();
        assert!(end.replaced && end.name == name, "{end:?}");
        assert!(processes.replaced().is_empty() && processes.has(name));
        processes.kill(name).await.unwrap();
    }

    #[tokio::test]
    async fn a_server_that_never_gets_ready_is_given_up() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::claim(home.path()).unwrap();
        let mut processes = processes(&folder).await;
        processes.start(ProcessKind::Redis, "redis", shell("exec sleep 600"), &folder.log("redis").unwrap()).unwrap();

        let error = processes.until("redis", Duration::ZERO, async || false).await.unwrap_err().to_string();

        assert!(error.starts_with("redis is not ready after 0 s; it wrote nothing to "), "{error}");
        processes.stop().await.unwrap();
    }

    #[tokio::test]
    async fn a_program_that_is_missing_is_named() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::claim(home.path()).unwrap();
        let log = folder.log("redis").unwrap();
        let mut processes = processes(&folder).await;
        let error = processes.start(ProcessKind::Redis, "redis", Command::new("/no/such/program"), &log).unwrap_err();
        assert_eq!(error.to_string(), "redis does not start: /no/such/program cannot be run");
    }
}

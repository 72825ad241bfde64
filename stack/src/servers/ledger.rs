//! The list of running processes in a data folder, so that the next launcher finds what a killed one left behind.
//!
//! A process id alone proves nothing: it may have been given to another process by now. Together with the time at which the
//! process was started it names one process of this boot and no other.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, interval};

use crate::host::console;
use crate::servers::folder::{Folder, read_if_there, write_private};
use crate::servers::process_kind::ProcessKind;

const FILE: &str = "processes.json";
/// How long a process that was left behind may take to stop before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// One process, distinguished from a later one with the same id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub name: String,
    #[serde(rename = "stage")]
    pub kind: ProcessKind,
    pub pid: i32,
    /// As the system writes it; compared, never parsed.
    #[serde(rename = "born")]
    pub started_at: String,
}

impl Entry {
    pub fn of(name: &str, kind: ProcessKind, pid: i32) -> Entry {
        Entry { name: name.to_owned(), kind, pid, started_at: started_at(pid).unwrap_or_default() }
    }

    fn is_alive(&self) -> bool {
        started_at(self.pid).is_some_and(|started_at| started_at == self.started_at)
    }
}

/// The processes of one data folder.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    entries: Vec<Entry>,
}

impl Ledger {
    /// Reads what a launcher before this one wrote, and stops what still runs of it: services first, Postgres last.
    pub async fn open(folder: &Folder) -> Result<Ledger> {
        let left = alive(folder.path())?;
        for kind in ProcessKind::STOPPING_ORDER {
            stop(&left.iter().filter(|entry| entry.kind == kind).collect::<Vec<_>>()).await?;
        }
        let ledger = Ledger { path: folder.path().join(FILE), entries: Vec::new() };
        ledger.save()?;
        Ok(ledger)
    }

    pub fn add(&mut self, entry: Entry) -> Result<()> {
        self.entries.push(entry);
        self.save()
    }

    /// Takes a process out that has ended.
    pub fn remove(&mut self, pid: i32) -> Result<()> {
        self.entries.retain(|entry| entry.pid != pid);
        self.save()
    }

    pub fn clear(&mut self) -> Result<()> {
        self.entries.clear();
        self.save()
    }

    fn save(&self) -> Result<()> {
        write_private(&self.path, &serde_json::to_string_pretty(&self.entries)?)
    }
}

/// What runs of the processes that a folder's launcher has written down.
pub fn alive(folder: &Path) -> Result<Vec<Entry>> {
    let path = folder.join(FILE);
    let Some(text) = read_if_there(&path)? else { return Ok(Vec::new()) };
    let mut entries: Vec<Entry> =
        serde_json::from_str(&text).with_context(|| format!("{} cannot be understood", path.display()))?;
    entries.retain(Entry::is_alive);
    Ok(entries)
}

async fn stop(left: &[&Entry]) -> Result<()> {
    if left.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = left.iter().map(|entry| format!("{} (pid {})", entry.name, entry.pid)).collect();
    console::info(format_args!("Stopping what an earlier launcher left running: {}", names.join(", ")));
    for entry in left {
        send(entry, entry.kind.stop_signal())?;
    }
    let asked = Instant::now();
    let mut look = interval(Duration::from_millis(20));
    while left.iter().any(|entry| entry.is_alive()) {
        if asked.elapsed() > STOP_TIMEOUT {
            for entry in left.iter().filter(|entry| entry.is_alive()) {
                send(entry, Signal::SIGKILL)?;
            }
        }
        if asked.elapsed() > 2 * STOP_TIMEOUT {
            bail!("{} cannot be stopped", names.join(", "));
        }
        look.tick().await;
    }
    Ok(())
}

fn send(entry: &Entry, signal: Signal) -> Result<()> {
    match kill(Pid::from_raw(entry.pid), signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("{} (pid {}) cannot be stopped", entry.name, entry.pid)),
    }
}

/// When a process was started; none when there is no such process, or only its remains.
fn started_at(pid: i32) -> Option<String> {
    if cfg!(target_os = "linux") {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        return Some(format!("{} {}", boot.trim(), start_time(&stat)?));
    }
    let answer = Command::new("ps").args(["-o", "lstart=", "-p", &pid.to_string()]).output().ok()?;
    let text = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// The 22nd field of `/proc/<pid>/stat`, unless the process is a zombie. The second field, the name, may itself hold
/// blanks and parentheses, so counting begins after the last of them.
fn start_time(stat: &str) -> Option<&str> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    if state == "Z" || state == "X" { None } else { fields.nth(18) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_time_is_found_behind_a_strange_name() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123456 1000 10";
        assert_eq!(start_time(stat), Some("123456"));
        assert_eq!(start_time(&stat.replace(" S ", " Z ")), None);
    }

    #[test]
    fn an_id_that_was_given_to_another_process_is_not_ours() {
        let ours = Entry::of("test", ProcessKind::Service, i32::try_from(std::process::id()).unwrap());
        assert!(ours.is_alive());
        assert!(!Entry { started_at: "another moment".to_owned(), ..ours }.is_alive());
    }

    #[tokio::test]
    async fn what_was_left_running_is_stopped() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::claim(home.path()).unwrap();
        let mut left = Command::new("sleep").arg("600").spawn().unwrap();
        let entry = Entry::of("sleeper", ProcessKind::Redis, i32::try_from(left.id()).unwrap());
        Ledger::open(&folder).await.unwrap().add(entry.clone()).unwrap();

        let ledger = Ledger::open(&folder).await.unwrap();

        assert!(!entry.is_alive());
        assert_eq!(ledger.entries, []);
        assert!(!left.wait().unwrap().success());
    }
}

//! A private Postgres: made, started and reached on 127.0.0.1 only, with no socket in the file system.

pub mod place;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::Url;
use tokio::process::Command;

use crate::host::programs;
use crate::servers::folder::{Folder, read_if_there, remove, write_private};
use crate::servers::process_kind::ProcessKind;
use crate::servers::processes::Processes;
use place::PostgresHome;

/// How long recovery after a crash may take.
const RECOVERY_TIMEOUT: Duration = Duration::from_mins(1);

/// How long its data has to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    Persistent,
    /// As a persistent one, and it records when each transaction was committed.
    Measured,
    /// For one test run: nothing waits for the disk.
    Temporary,
}

#[derive(Debug)]
pub struct Postgres {
    bin: PathBuf,
    place: PostgresHome,
    data: PathBuf,
    lifetime: Lifetime,
}

impl Postgres {
    /// Finds the programs and a place for the data: `elsewhere`, when it was put outside of the folder before.
    pub async fn locate(folder: &Folder, elsewhere: Option<&Path>, lifetime: Lifetime) -> Result<Postgres> {
        let place = PostgresHome::find(folder, elsewhere).await?;
        let data = place.path.join("data");
        let major = read_if_there(&data.join("PG_VERSION"))?.map(|text| text.trim().to_owned());
        let bin = programs::postgres(major.as_deref()).context("the programs of PostgreSQL are not found")?;
        Ok(Postgres { bin, place, data, lifetime })
    }

    /// Where the data is, when that is outside of the folder.
    pub fn elsewhere(&self, folder: &Folder) -> Option<PathBuf> {
        let place = &self.place.path;
        (!place.starts_with(folder.path())).then(|| place.clone())
    }

    /// Makes an empty cluster when there is none. An empty password makes it trust all users of this machine.
    pub async fn initialise(&self, password: &str) -> Result<()> {
        if self.data.join("PG_VERSION").exists() {
            return check_cluster(&self.data).await;
        }
        // Made under another name first: what an interrupted initdb leaves is never taken for a cluster.
        let unfinished = self.place.path.join("unfinished");
        remove(&unfinished)?;
        let mut command = self.command("initdb");
        command.arg("-D").arg(&unfinished).args(["-U", "postgres", "--encoding=UTF8"]);
        command.arg(if cfg!(target_os = "macos") { "--locale=en_US.UTF-8" } else { "--locale=C.UTF-8" });
        if self.lifetime == Lifetime::Temporary {
            command.arg("--no-sync");
        }
        let file = self.place.path.join("password");
        if password.is_empty() {
            command.arg("--auth=trust");
        } else {
            write_private(&file, password)?;
            self.place.give(&file)?;
            command.arg("--auth=scram-sha-256").arg("--pwfile").arg(&file);
        }
        let answer = command.output().await.context("initdb cannot be run")?;
        if file.exists() {
            fs::remove_file(&file).with_context(|| format!("{} cannot be deleted", file.display()))?;
        }
        succeed("initdb", &answer)?;
        fs::rename(&unfinished, &self.data).context("the new Postgres cluster cannot be moved to its place")
    }

    /// Starts it and waits until it answers.
    pub async fn start(&self, processes: &mut Processes, port: u16, log: &Path) -> Result<()> {
        self.forget_dead_postmaster()?;
        let mut command = self.command("postgres");
        command.arg("-D").arg(&self.data);
        let mut set = |setting: &str| {
            command.args(["-c", setting]);
        };
        set("listen_addresses=127.0.0.1");
        set("unix_socket_directories=");
        set(&format!("port={port}"));
        // Enough for every pool of several replicas.
        set("max_connections=500");
        set("timezone=UTC");
        set("log_timezone=UTC");
        if self.lifetime == Lifetime::Measured {
            set("track_commit_timestamp=on");
        }
        if self.lifetime == Lifetime::Temporary {
            for setting in ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off"] {
                set(setting);
            }
            set("checkpoint_timeout=1d");
            set("max_wal_size=8GB");
        }
        processes.start(ProcessKind::Postgres, "Postgres", command, log)?;
        processes.until("Postgres", RECOVERY_TIMEOUT, async || self.answers(port).await).await
    }

    async fn answers(&self, port: u16) -> bool {
        let mut command = self.command("pg_isready");
        command.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]);
        command.status().await.is_ok_and(|status| status.success())
    }

    /// Postgres refuses to start while the process that its lock file names is alive. After a crash that number may by
    /// now belong to something else; ours was stopped before (see `ledger`), so only a living `postgres` counts.
    fn forget_dead_postmaster(&self) -> Result<()> {
        let file = self.data.join("postmaster.pid");
        let Some(text) = read_if_there(&file)? else { return Ok(()) };
        let pid = text.lines().next().unwrap_or_default().trim();
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        if cfg!(target_os = "linux") && name.trim() != "postgres" {
            fs::remove_file(&file).with_context(|| format!("{} cannot be deleted", file.display()))?;
        }
        Ok(())
    }

    /// The superuser's address.
    pub fn url(port: u16, password: &str) -> Result<Url> {
        let password = if password.is_empty() { String::new() } else { format!(":{password}") };
        let url = format!("postgres://postgres{password}@127.0.0.1:{port}/postgres");
        url.parse().with_context(|| format!("port {port} makes no address"))
    }

    fn command(&self, program: &str) -> Command {
        self.place.command(&self.bin.join(program))
    }
}

/// Fails when a cluster was made by another version than the one that would run on it; there may be no cluster yet.
pub async fn check_cluster(data: &Path) -> Result<()> {
    let Some(made) = read_if_there(&data.join("PG_VERSION"))? else { return Ok(()) };
    let made = made.trim();
    let bin = programs::postgres(Some(made)).context("the programs of PostgreSQL are not found")?;
    let output =
        Command::new(bin.join("postgres")).arg("--version").output().await.context("postgres cannot be run")?;
    let installed = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let major = installed.split_whitespace().nth(2).and_then(|version| version.split('.').next());
    ensure!(
        major == Some(made),
        "the data was made by PostgreSQL {made}, but {installed} is installed; install the former, or delete the data with \
         `cargo stack reset`"
    );
    Ok(())
}

/// An error with the output of a program, unless it succeeded.
pub fn succeed(program: &str, answer: &Output) -> Result<()> {
    if answer.status.success() {
        return Ok(());
    }
    bail!("{program} failed ({}): {}", answer.status, String::from_utf8_lossy(&answer.stderr).trim());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throw_away_server_needs_no_password() {
        assert_eq!(Postgres::url(15_432, "").unwrap().as_str(), "postgres://postgres@127.0.0.1:15432/postgres");
        assert_eq!(Postgres::url(1, "ab").unwrap().as_str(), "postgres://postgres:ab@127.0.0.1:1/postgres");
    }
}

//! A private Postgres: made, started and reached on 127.0.0.1 only, with no socket in the file system.
//!
//! Postgres refuses to run as root. Under root it runs as the system's user `postgres`, who must be able to reach its
//! data; in a clone under `/root` it cannot, and then the data goes to that user's home instead.

use std::{
    fs,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use nix::unistd::{User, geteuid};
use reqwest::Url;
use tokio::process::Command;

use crate::{
    console,
    folder::{Folder, read_if_there, write_private},
    process::{Running, Stage},
    programs,
};

/// How long recovery after a crash may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Whether its data outlives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    Kept,
    /// For one test run: nothing is worth waiting for the disk.
    ThrowAway,
}

#[derive(Debug)]
pub struct Postgres {
    bin: PathBuf,
    data: PathBuf,
    /// Whom it runs as, when that is not who we are.
    user: Option<User>,
    lifetime: Lifetime,
}

impl Postgres {
    /// Finds the programs and a place for the data: in the folder, or `elsewhere` when it was put there before.
    pub async fn locate(folder: &Folder, elsewhere: Option<&Path>, lifetime: Lifetime) -> Result<Postgres> {
        let user = if geteuid().is_root() {
            let user = User::from_name("postgres").context("the system's users cannot be read")?;
            Some(user.context("Postgres does not run as root, and there is no system user `postgres` to run it as")?)
        } else {
            None
        };
        let place = match elsewhere {
            Some(place) => place.to_owned(),
            None => folder.path().join("postgres"),
        };
        let mut postgres = Postgres { bin: PathBuf::new(), data: place.join("data"), user, lifetime };
        if !postgres.owns(&place).await? {
            let home = postgres.user.as_ref().map(|user| user.dir.join(name_for(folder.path())));
            let Some(home) = home.filter(|_| elsewhere.is_none()) else {
                bail!("Postgres cannot write to {}", place.display());
            };
            if !postgres.owns(&home).await? {
                bail!(
                    "Postgres's user cannot reach {} and cannot write to {} either; use --data-dir with a folder \
                     that everybody may enter",
                    place.display(),
                    home.display()
                );
            }
            let (user, home) = ("the user `postgres`", home);
            console::tell(format_args!("{user} cannot enter {}: its data goes to {}", place.display(), home.display()));
            crate::folder::remove(&place)?;
            postgres.data = home.join("data");
        }
        let major = read_if_there(&postgres.data.join("PG_VERSION"))?.map(|text| text.trim().to_owned());
        postgres.bin = programs::postgres(major.as_deref()).context("the programs of PostgreSQL are not found")?;
        Ok(postgres)
    }

    /// Where the data is, when that is outside of the folder.
    pub fn elsewhere(&self, folder: &Folder) -> Option<PathBuf> {
        let place = self.data.parent()?;
        (!place.starts_with(folder.path())).then(|| place.to_owned())
    }

    /// Makes an empty cluster when there is none. An empty password makes it trust everybody on this machine.
    pub async fn initialise(&self, password: &str) -> Result<()> {
        let place = self.data.parent().context("Postgres's data has no folder")?;
        if self.data.join("PG_VERSION").exists() {
            return self.check_version().await;
        }
        // Made under another name first: what an interrupted initdb leaves is never taken for a cluster.
        let unfinished = place.join("unfinished");
        crate::folder::remove(&unfinished)?;
        let mut command = self.command("initdb");
        command.arg("-D").arg(&unfinished).args(["-U", "postgres", "--encoding=UTF8"]);
        command.arg(if cfg!(target_os = "macos") { "--locale=en_US.UTF-8" } else { "--locale=C.UTF-8" });
        if self.lifetime == Lifetime::ThrowAway {
            command.arg("--no-sync");
        }
        let file = place.join("password");
        if password.is_empty() {
            command.arg("--auth=trust");
        } else {
            write_private(&file, password)?;
            self.give(&file)?;
            command.arg("--auth=scram-sha-256").arg("--pwfile").arg(&file);
        }
        let answer = command.output().await.context("initdb cannot be run")?;
        if file.exists() {
            fs::remove_file(&file).with_context(|| format!("{} cannot be deleted", file.display()))?;
        }
        succeed("initdb", &answer)?;
        fs::rename(&unfinished, &self.data).context("the new Postgres cluster cannot be moved to its place")
    }

    async fn check_version(&self) -> Result<()> {
        let made = read_if_there(&self.data.join("PG_VERSION"))?.unwrap_or_default();
        let answer = self.command("postgres").arg("--version").output().await.context("postgres cannot be run")?;
        let installed = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
        let major = installed.split_whitespace().nth(2).and_then(|version| version.split('.').next());
        if major != Some(made.trim()) {
            bail!(
                "the data was made by PostgreSQL {}, but {installed} is installed; install the former, or delete the \
                 data with `cargo stack reset`",
                made.trim()
            );
        }
        Ok(())
    }

    /// Starts it and waits until it answers.
    pub async fn start(&self, running: &mut Running, port: u16, log: &Path) -> Result<()> {
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
        if self.lifetime == Lifetime::ThrowAway {
            for setting in ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off"] {
                set(setting);
            }
            set("checkpoint_timeout=1d");
            set("max_wal_size=8GB");
        }
        running.start(Stage::Postgres, "Postgres", command, log)?;
        running.until("Postgres", PATIENCE, async || self.answers(port).await).await
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

    /// Makes a folder of Postgres's own; says whether Postgres can write to it.
    async fn owns(&self, place: &Path) -> Result<bool> {
        if let Err(error) = fs::create_dir_all(place) {
            console::tell(format_args!("{} cannot be made: {error}", place.display()));
            return Ok(false);
        }
        self.give(place)?;
        let mut command = self.run_as_user(Path::new("test"));
        let answer = command.arg("-w").arg(place).status().await.context("`test` cannot be run")?;
        Ok(answer.success())
    }

    fn give(&self, path: &Path) -> Result<()> {
        let Some(user) = &self.user else { return Ok(()) };
        chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
            .with_context(|| format!("{} cannot be given to the user `postgres`", path.display()))
    }

    fn command(&self, program: &str) -> Command {
        self.run_as_user(&self.bin.join(program))
    }

    fn run_as_user(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // The folder that we are in may be closed to that user.
        command.current_dir("/").kill_on_drop(true);
        if let Some(user) = &self.user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }
}

/// A folder name that tells the data of several clones apart.
fn name_for(folder: &Path) -> String {
    format!("cargo-stack{}", folder.to_string_lossy().replace('/', "-"))
}

/// An error that holds what a program said, unless it succeeded.
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

    #[test]
    fn clones_do_not_share_a_folder() {
        assert_eq!(name_for(Path::new("/root/a/.stack")), "cargo-stack-root-a-.stack");
    }
}

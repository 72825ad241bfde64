//! Postgres and Redis together: the private pair of a platform, the throw-away pair of a test run.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use reqwest::Url;
use tempfile::{Builder, TempDir};

use crate::host::programs::Program;
use crate::host::reservations::Claims;
use crate::host::{console, programs};
use crate::servers::folder::{Folder, remove};
use crate::servers::ledger::Ledger;
use crate::servers::postgres::{Lifetime, Postgres};
use crate::servers::processes::Running;
use crate::servers::redis;
use crate::servers::state::{Kept, Secrets};

/// Above the standard ports, so that servers of the system are never in the way.
const POSTGRES_PORTS: u16 = 15_432;
const REDIS_PORTS: u16 = 16_379;

/// Names the folders of test runs, so that what a killed one left is found and removed.
const THROW_AWAY: &str = "cargo-stack-test-";
/// Names the folder of a run that somebody wants to look at.
const KEPT: &str = "cargo-stack-kept-";

/// What was kept, or decided now: ports that nobody else has, and new secrets.
pub fn decide(folder: &Folder, claims: &mut Claims) -> Result<Kept> {
    let earlier = Kept::load(folder)?;
    let postgres_port = choose(earlier.as_ref().map(|kept| kept.postgres_port), POSTGRES_PORTS, claims)?;
    let redis_port = choose(earlier.as_ref().map(|kept| kept.redis_port), REDIS_PORTS, claims)?;
    let kept = match earlier {
        Some(earlier) => Kept { postgres_port, redis_port, ..earlier },
        None => Kept { postgres_port, redis_port, postgres_elsewhere: None, secrets: Secrets::generate() },
    };
    kept.save(folder)?;
    Ok(kept)
}

/// Claims the port that was kept, or else the first that can be had.
fn choose(kept: Option<u16>, start: u16, claims: &mut Claims) -> Result<u16> {
    for port in kept.into_iter().chain(start..=u16::MAX) {
        if claims.take(&[port])? {
            return Ok(port);
        }
    }
    bail!("no port is free from {start} on")
}

/// Starts Postgres, on a new cluster when there is none yet; says where it is.
pub async fn start_postgres(run: &mut Running, folder: &Folder, kept: &mut Kept, kind: Lifetime) -> Result<Url> {
    let postgres = Postgres::locate(folder, kept.postgres_elsewhere.as_deref(), kind).await?;
    kept.postgres_elsewhere = postgres.elsewhere(folder);
    kept.save(folder)?;
    postgres.initialise(&kept.secrets.postgres).await?;
    postgres.start(run, kept.postgres_port, &folder.log("postgres")?).await?;
    Postgres::url(kept.postgres_port, &kept.secrets.postgres)
}

/// Starts Redis; says where it is.
pub async fn start_redis(run: &mut Running, folder: &Folder, kept: &Kept, kind: Lifetime) -> Result<Url> {
    redis::start(run, folder, kept.redis_port, &kept.secrets.redis, kind).await?;
    redis::url(kept.redis_port, &kept.secrets.redis)
}

/// A pair of servers for one run. They are stopped with `stop`; their folder goes with the value.
#[derive(Debug)]
pub struct ThrowAway {
    pub folder: Folder,
    pub running: Running,
    pub claims: Claims,
    home: TempDir,
}

impl ThrowAway {
    /// Provides the programs, removes what earlier runs left, and makes an empty folder.
    pub async fn new(programs: &[Program]) -> Result<ThrowAway> {
        programs::provide(programs).await?;
        sweep().await?;
        let home = Builder::new().prefix(THROW_AWAY).tempdir().context("no temporary folder can be made")?;
        // Everybody may pass through: under root, Postgres runs as another user.
        fs::set_permissions(home.path(), PermissionsExt::from_mode(0o711)).context("its mode cannot be set")?;
        let folder = Folder::claim(home.path())?;
        let running = Running::new(Ledger::open(&folder).await?)?;
        Ok(ThrowAway { folder, running, claims: Claims::default(), home })
    }

    /// Starts Postgres and, when wanted, Redis, tuned for tests.
    pub async fn start(&mut self, with_redis: bool) -> Result<(Url, Option<Url>)> {
        let mut kept = Kept { secrets: Secrets::none(), ..decide(&self.folder, &mut self.claims)? };
        let postgres = start_postgres(&mut self.running, &self.folder, &mut kept, Lifetime::ThrowAway).await?;
        let redis = if with_redis {
            Some(start_redis(&mut self.running, &self.folder, &kept, Lifetime::ThrowAway).await?)
        } else {
            None
        };
        Ok((postgres, redis))
    }

    /// Stops the servers and leaves what they wrote; says where.
    pub async fn leave(mut self) -> Result<PathBuf> {
        self.running.stop().await?;
        let (home, kept) = (self.home.keep(), format!("{KEPT}{}", std::process::id()));
        // Under another name, or the next run would remove it.
        let kept = home.with_file_name(kept);
        fs::rename(&home, &kept).with_context(|| format!("{} cannot be moved", home.display()))?;
        Ok(kept)
    }

    /// Stops the servers and deletes what they wrote.
    pub async fn stop(mut self) -> Result<()> {
        self.running.stop().await?;
        delete(&self.folder)?;
        let path = self.home.path().to_owned();
        self.home.close().with_context(|| format!("{} cannot be deleted", path.display()))
    }
}

/// Removes what test runs left that did not end by themselves.
async fn sweep() -> Result<()> {
    for path in left_behind(&std::env::temp_dir()) {
        // Another run that is under way holds its folder.
        let Ok(folder) = Folder::claim(&path) else { continue };
        Ledger::open(&folder).await?;
        console::tell(format_args!("Removing {}, which an earlier run left", path.display()));
        delete(&folder)?;
        folder.wipe()?;
    }
    Ok(())
}

fn left_behind(temporary: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(temporary).map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default();
    let ours = entries.into_iter().filter(|entry| entry.file_name().to_string_lossy().starts_with(THROW_AWAY));
    // A folder without a lock is being made at this moment.
    ours.map(|entry| entry.path()).filter(|path| path.join("lock").is_file()).collect()
}

/// Deletes the part of the data that is outside of the folder. Where that was written down and cannot be understood any
/// more it stays: somebody who deletes wants to get rid of just such a folder.
pub fn delete(folder: &Folder) -> Result<()> {
    match Kept::load(folder) {
        Ok(kept) => kept.and_then(|kept| kept.postgres_elsewhere).map_or(Ok(()), |elsewhere| remove(&elsewhere)),
        Err(error) => {
            console::tell(format_args!("{error:#}: data outside of the folder, if there is any, stays"));
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_secrets_stay_the_same_from_one_start_to_the_next() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::claim(home.path()).unwrap();
        let first = decide(&folder, &mut Claims::default()).unwrap();
        assert!(first.postgres_port >= POSTGRES_PORTS && first.redis_port >= REDIS_PORTS);
        let second = decide(&folder, &mut Claims::default()).unwrap();
        assert_eq!(second.secrets, first.secrets);
    }

    #[test]
    fn a_port_that_somebody_else_holds_is_given_up() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::claim(home.path()).unwrap();
        let mut services = Claims::default();
        let first = decide(&folder, &mut services).unwrap();
        let second = decide(&folder, &mut Claims::default()).unwrap();
        assert!(second.postgres_port != first.postgres_port && second.redis_port != first.redis_port);
    }

    #[test]
    fn a_folder_that_cannot_be_understood_can_be_deleted() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::claim(&home.path().join("data")).unwrap();
        fs::write(folder.path().join("kept.json"), "{").unwrap();
        assert!(Kept::load(&folder).unwrap_err().to_string().ends_with("`cargo stack reset` starts afresh"));
        delete(&folder).unwrap();
    }

    #[test]
    fn only_folders_of_test_runs_are_swept() {
        let temporary = tempfile::tempdir().unwrap();
        for name in ["cargo-stack-test-a", "cargo-stack-test-new", "other"] {
            fs::create_dir(temporary.path().join(name)).unwrap();
        }
        fs::write(temporary.path().join("cargo-stack-test-a/lock"), "").unwrap();
        assert_eq!(left_behind(temporary.path()), [temporary.path().join("cargo-stack-test-a")]);
    }
}

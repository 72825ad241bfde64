//! Servers for one run, in a temporary folder that goes with them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use reqwest::Url;
use tempfile::{Builder, TempDir};

use crate::host::console;
use crate::host::programs::{self, Program};
use crate::host::reservations::PortReservations;
use crate::servers::folder::Folder;
use crate::servers::ledger::Ledger;
use crate::servers::postgres::Lifetime;
use crate::servers::private::{delete_outside, prepare_state, start_postgres, start_redis};
use crate::servers::processes::Processes;
use crate::servers::redis::{self, RedisKind};
use crate::servers::state::{PersistedState, Secrets};

/// Names the folders of runs, so that what a killed one left is found and removed.
const PREFIX: &str = "cargo-stack-test-";
/// Names the folder of a run that is left for inspection.
const LEFT: &str = "cargo-stack-kept-";

/// The folder and the processes of one run. They are stopped with `stop`.
#[derive(Debug)]
pub struct TemporaryServers {
    pub folder: Folder,
    pub processes: Processes,
    pub reservations: PortReservations,
    home: TempDir,
}

impl TemporaryServers {
    /// Provides the programs, removes what earlier runs left, and makes an empty folder.
    pub async fn new(programs: &[Program]) -> Result<TemporaryServers> {
        programs::provide(programs).await?;
        remove_left_behind().await?;
        let home = Builder::new().prefix(PREFIX).tempdir().context("no temporary folder can be made")?;
        // Every user may pass through: under root, Postgres runs as another one.
        fs::set_permissions(home.path(), PermissionsExt::from_mode(0o711)).context("its mode cannot be set")?;
        let folder = Folder::claim(home.path())?;
        let processes = Processes::new(Ledger::open(&folder).await?)?;
        Ok(TemporaryServers { folder, processes, reservations: PortReservations::default(), home })
    }

    /// Starts Postgres, tuned for tests.
    pub async fn start_postgres(&mut self) -> Result<(Url, PersistedState)> {
        let state = prepare_state(&self.folder, &mut self.reservations, RedisKind::Single)?;
        let mut state = PersistedState { secrets: Secrets::none(), ..state };
        let postgres = start_postgres(&mut self.processes, &self.folder, &mut state, Lifetime::Temporary).await?;
        Ok((postgres, state))
    }

    /// Starts Postgres and Redis, tuned for tests.
    pub async fn start_both(&mut self) -> Result<(Url, Url)> {
        let (postgres, state) = self.start_postgres().await?;
        start_redis(&mut self.processes, &self.folder, &state, RedisKind::Single, Lifetime::Temporary).await?;
        Ok((postgres, redis::url(state.redis_port, &state.secrets.redis)?))
    }

    /// Stops the servers. Their files are left for inspection, and where they are is shown; or they are deleted.
    pub async fn end(self, keep: bool) -> Result<()> {
        if !keep {
            return self.stop().await;
        }
        let folder = self.leave().await?;
        console::info(format_args!("Logs and data: {}", folder.display()));
        Ok(())
    }

    async fn leave(mut self) -> Result<PathBuf> {
        self.processes.stop().await?;
        let (home, left) = (self.home.keep(), format!("{LEFT}{}", std::process::id()));
        // Under another name, or the next run would remove it.
        let left = home.with_file_name(left);
        fs::rename(&home, &left).with_context(|| format!("{} cannot be moved", home.display()))?;
        Ok(left)
    }

    /// Stops the servers and deletes their files.
    pub async fn stop(mut self) -> Result<()> {
        self.processes.stop().await?;
        delete_outside(&self.folder)?;
        let path = self.home.path().to_owned();
        self.home.close().with_context(|| format!("{} cannot be deleted", path.display()))
    }
}

/// Removes the folders of runs that did not end by themselves.
async fn remove_left_behind() -> Result<()> {
    for path in left_behind(&std::env::temp_dir()) {
        // A run that is under way holds its folder.
        let Ok(folder) = Folder::claim(&path) else { continue };
        Ledger::open(&folder).await?;
        console::info(format_args!("Removing {}, which an earlier run left", path.display()));
        delete_outside(&folder)?;
        folder.wipe()?;
    }
    Ok(())
}

fn left_behind(temporary: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(temporary).map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default();
    let ours = entries.into_iter().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    // A folder without a lock is being made at this moment.
    ours.map(|entry| entry.path()).filter(|path| path.join("lock").is_file()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_runs_are_removed() {
        let temporary = tempfile::tempdir().unwrap();
        for name in ["cargo-stack-test-a", "cargo-stack-test-new", "other"] {
            fs::create_dir(temporary.path().join(name)).unwrap();
        }
        fs::write(temporary.path().join("cargo-stack-test-a/lock"), "").unwrap();
        assert_eq!(left_behind(temporary.path()), [temporary.path().join("cargo-stack-test-a")]);
    }
}

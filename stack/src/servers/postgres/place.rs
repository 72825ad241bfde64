//! The folder in which Postgres keeps its files, and the user that it runs as.
//!
//! Postgres refuses to run as root. Under root it runs as the system's user `postgres`, which must be able to reach its
//! data; in a clone under `/root` it cannot, and then the data goes to that user's home instead.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::unistd::{User, geteuid};
use tokio::process::Command;

use crate::host::console;
use crate::servers::folder::{Folder, remove};

/// A folder that the user Postgres runs as can write to.
#[derive(Debug)]
pub struct PostgresHome {
    pub path: PathBuf,
    /// The user that it runs as, when that is not our own.
    user: Option<User>,
}

impl PostgresHome {
    /// Inside the data folder, or where it was put before, or in that user's home when the data folder is out of reach.
    pub async fn find(folder: &Folder, before: Option<&Path>) -> Result<PostgresHome> {
        let inside = folder.path().join("postgres");
        let user = user()?;
        let mut place = PostgresHome { path: before.unwrap_or(&inside).to_owned(), user };
        if place.is_reachable().await? {
            return Ok(place);
        }
        let first = place.path.clone();
        let home = place.user.as_ref().map(|user| user.dir.join(name_for(folder.path())));
        let Some(home) = home.filter(|_| before.is_none()) else {
            bail!("Postgres cannot write to {}", first.display());
        };
        place.path = home;
        if !place.is_reachable().await? {
            bail!(
                "the user `postgres` can reach neither {} nor {}; use --data-dir with a folder that all users may enter",
                first.display(),
                place.path.display()
            );
        }
        let (first, second) = (first.display(), place.path.display());
        console::info(format_args!("The user `postgres` cannot enter {first}: Postgres's data goes to {second}"));
        remove(&inside)?;
        Ok(place)
    }

    /// Makes the folder and hands it over; whether Postgres can write to it.
    async fn is_reachable(&self) -> Result<bool> {
        if let Err(error) = fs::create_dir_all(&self.path) {
            console::info(format_args!("{} cannot be made: {error}", self.path.display()));
            return Ok(false);
        }
        self.give(&self.path)?;
        let mut test = self.command(Path::new("test"));
        let answer = test.arg("-w").arg(&self.path).status().await.context("`test` cannot be run")?;
        Ok(answer.success())
    }

    /// Makes a file or folder Postgres's own.
    pub fn give(&self, path: &Path) -> Result<()> {
        let Some(user) = &self.user else { return Ok(()) };
        chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
            .with_context(|| format!("{} cannot be given to the user `postgres`", path.display()))
    }

    /// A program, to be run as that user.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // The folder that we are in may be closed to that user.
        command.current_dir("/").kill_on_drop(true);
        if let Some(user) = &self.user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }
}

/// The system user that Postgres runs as; none when that is the one that we are.
pub fn user() -> Result<Option<User>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let user = User::from_name("postgres").context("the system's users cannot be read")?;
    user.map(Some).context("Postgres does not run as root, and there is no system user `postgres` to run it as")
}

/// A folder name that is different for every clone.
fn name_for(folder: &Path) -> String {
    format!("cargo-stack{}", folder.to_string_lossy().replace('/', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_do_not_share_a_folder() {
        assert_eq!(name_for(Path::new("/root/a/.stack")), "cargo-stack-root-a-.stack");
    }

    #[tokio::test]
    async fn a_folder_that_everybody_may_enter_is_used_as_it_is() {
        let open_to_all = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        let home = tempfile::Builder::new().permissions(open_to_all).tempdir().unwrap();
        let folder = Folder::claim(home.path()).unwrap();
        let place = PostgresHome::find(&folder, None).await.unwrap();
        assert_eq!(place.path, folder.path().join("postgres"));
    }
}

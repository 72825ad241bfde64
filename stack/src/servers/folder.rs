//! The data folder: what a platform keeps on disk, claimed by one launcher at a time.
//!
//! ```text
//! .stack/
//!   lock             held by the launcher as long as it lives; also after `kill -9` it is free again
//!   kept.json        ports, passwords and keys that were decided once (readable by its owner only)
//!   processes.json   what runs, so that the next launcher finds what a killed one left behind
//!   connections.env  addresses for psql and redis-cli (readable by its owner only)
//!   control/         the socket by which `cargo stack roll` asks the launcher
//!   logs/  mail/     one log per process; the mails that the services "sent"
//!   media/           the pictures that were uploaded
//!   postgres/  redis/  redis-1/ … redis-6/, the nodes of a Redis Cluster
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use nix::unistd::{AccessFlags, User, access};

use crate::host::workspace;

/// Which data folder is meant.
#[derive(Debug, Args)]
pub struct DataFolder {
    /// Where data, logs, mail and secrets are kept [default: .stack in the workspace]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

impl DataFolder {
    /// The one that was asked for, or the workspace's own.
    pub fn path(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(|| workspace::root().join(".stack"))
    }
}

/// The file of a data folder with the addresses of the platform that was last started in it.
pub const CONNECTIONS: &str = "connections.env";

/// A data folder that no other launcher uses while this value lives.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder when it is missing and reservations it; refuses when another launcher holds it.
    pub fn claim(path: &Path) -> Result<Folder> {
        check(path)?;
        fs::create_dir_all(path).with_context(|| format!("the data folder {} cannot be made", path.display()))?;
        let path = path.canonicalize().with_context(|| format!("the data folder {} is gone", path.display()))?;
        let lock = path.join("lock");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&lock)
            .with_context(|| format!("{} cannot be written", lock.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                file.read_to_string(&mut pid).with_context(|| format!("{} cannot be read", lock.display()))?;
                bail!("the platform in {} is running (pid {}); stop it first", path.display(), pid.trim());
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{} cannot be locked", lock.display()));
            }
        }
        file.set_len(0)?;
        write!(file, "{}", std::process::id())?;
        Ok(Folder { path, _lock: file })
    }

    /// The process id of the launcher that holds a folder, if one does. Nothing is made or changed.
    pub fn holder(path: &Path) -> Option<String> {
        let mut lock = File::open(path.join("lock")).ok()?;
        let Err(TryLockError::WouldBlock) = lock.try_lock_shared() else { return None };
        let mut pid = String::new();
        lock.read_to_string(&mut pid).ok()?;
        Some(pid.trim().to_owned())
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A folder inside, made when it is missing, that only its owner may open.
    pub fn private(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("{} cannot be made", path.display()))?;
        Ok(path)
    }

    /// The log of a process.
    pub fn log(&self, name: &str) -> Result<PathBuf> {
        Ok(self.private("logs")?.join(format!("{name}.log")))
    }

    /// Deletes everything inside, the lock last.
    pub fn wipe(self) -> Result<()> {
        remove(&self.path)
    }
}

/// Fails when a folder can neither be written nor made; nothing is changed.
pub fn check(path: &Path) -> Result<()> {
    // A folder that does not exist is made in the nearest one above it.
    let there = path.ancestors().find(|above| above.symlink_metadata().is_ok()).unwrap_or(path);
    let hint = "choose another data folder with --data-dir";
    ensure!(!there.exists() || there.is_dir(), "{} is not a folder; move it away, or {hint}", there.display());
    if access(there, AccessFlags::W_OK | AccessFlags::X_OK).is_err() {
        let owner = fs::metadata(there).ok().and_then(|there| User::from_uid(there.uid().into()).ok()?);
        let owner = owner.map_or("another user".to_owned(), |owner| owner.name);
        bail!("{} belongs to {owner} and cannot be written; change its owner, or {hint}", there.display());
    }
    Ok(())
}

/// Writes a file that only its owner may read, all of it or nothing.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    let unfinished = path.with_extension("unfinished");
    let written = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(|mut file| {
            // The mode above only counts for a file that is new.
            file.set_permissions(Permissions::from_mode(0o600))?;
            file.write_all(text.as_bytes())
        })
        .and_then(|()| fs::rename(&unfinished, path));
    written.with_context(|| format!("{} cannot be written", path.display()))
}

/// The text of a file, or none when there is no such file.
pub fn read_if_there(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// Deletes a folder with all that is in it; it may be gone already.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be deleted", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_claimed_once_and_free_again_afterwards() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("data");
        let first = Folder::claim(&path).unwrap();
        let error = Folder::claim(&path).unwrap_err().to_string();
        assert!(error.ends_with(&format!("is running (pid {}); stop it first", std::process::id())), "{error}");
        drop(first);
        Folder::claim(&path).unwrap();
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_named_and_checking_makes_nothing() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        let error = check(&file.join("data")).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{} is not a folder; ", file.display())), "{error}");
        check(&home.path().join("a/b")).unwrap();
        assert!(!home.path().join("a").exists());
    }

    #[test]
    fn the_launcher_that_holds_a_folder_is_found() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::claim(home.path()).unwrap();
        assert_eq!(Folder::holder(home.path()), Some(std::process::id().to_string()));
        drop(folder);
        assert_eq!(Folder::holder(home.path()), None);
    }

    #[test]
    fn private_files_are_readable_by_their_owner_only() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("kept.json");
        fs::write(&path, "old, and open to all").unwrap();
        write_private(&path, "secret").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read_if_there(&path).unwrap().as_deref(), Some("secret"));
    }

    #[test]
    fn what_is_not_there_is_none() {
        assert_eq!(read_if_there(Path::new("/nowhere/at/all")).unwrap(), None);
    }
}

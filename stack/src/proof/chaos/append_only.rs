//! The append-only file of a Redis: copied, and put back later, as if what was written meanwhile had never reached the disk.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::servers::folder::remove;

/// The folder in which Redis 7 keeps the parts of its append-only file; Redis 6 has one file of the other name.
const FOLDER: &str = "appendonlydir";
const FILE: &str = "appendonly.aof";

#[derive(Debug, Clone)]
pub struct AppendOnly {
    home: PathBuf,
    copy: PathBuf,
}

impl AppendOnly {
    /// That of the Redis of a data folder.
    pub fn of(folder: &Path) -> AppendOnly {
        AppendOnly { home: folder.join("redis"), copy: folder.join("redis-earlier") }
    }

    /// Copies it as it is now, in place of an earlier copy.
    pub fn copy(&self) -> Result<()> {
        replace(&self.home, &self.copy).context("the append-only file cannot be copied")
    }

    /// Puts the copy back; Redis must not run.
    pub fn put_back(&self) -> Result<()> {
        replace(&self.copy, &self.home).context("the append-only file cannot be put back")
    }
}

fn replace(from: &Path, to: &Path) -> Result<()> {
    remove(&to.join(FOLDER))?;
    for file in files(from)? {
        let name = file.strip_prefix(from)?;
        let copy = to.join(name);
        fs::create_dir_all(copy.parent().unwrap_or(to))?;
        fs::copy(&file, &copy)?;
    }
    Ok(())
}

/// All parts of it.
fn files(home: &Path) -> Result<Vec<PathBuf>> {
    let folder = home.join(FOLDER);
    if !folder.is_dir() {
        return Ok(vec![home.join(FILE)]);
    }
    let entries = fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(parts: &[(&str, &str)]) -> (tempfile::TempDir, AppendOnly) {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join("redis").join(FOLDER)).unwrap();
        for (name, text) in parts {
            fs::write(home.path().join("redis").join(FOLDER).join(name), text).unwrap();
        }
        let append_only = AppendOnly::of(home.path());
        (home, append_only)
    }

    fn text(append_only: &AppendOnly, name: &str) -> String {
        fs::read_to_string(append_only.home.join(FOLDER).join(name)).unwrap()
    }

    #[test]
    fn a_copy_that_is_put_back_replaces_what_came_later() {
        let name = "appendonly.aof.1.incr.aof";
        let (_home, append_only) = home(&[(name, "early")]);
        append_only.copy().unwrap();
        let folder = append_only.home.join(FOLDER);
        fs::write(folder.join(name), "early and late").unwrap();
        fs::write(folder.join("appendonly.aof.2.incr.aof"), "later").unwrap();
        append_only.put_back().unwrap();
        assert_eq!(text(&append_only, name), "early");
        assert!(!folder.join("appendonly.aof.2.incr.aof").exists());
    }
}

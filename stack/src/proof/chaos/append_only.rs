//! The append-only file of a Redis: copied, put back, and shortened as a power cut would.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::servers::folder::remove;

/// The folder in which Redis 7 keeps the parts of its append-only file; Redis 6 has one file of the other name.
const FOLDER: &str = "appendonlydir";
const FILE: &str = "appendonly.aof";

/// How long the file was at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLength {
    file: PathBuf,
    bytes: u64,
}

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

    /// How long the part is that Redis writes to.
    pub fn length(&self) -> Result<FileLength> {
        let parts = files(&self.home)?;
        // Its number grows with every rewrite; the base before it is not written to any more.
        let written = parts.into_iter().filter(|part| part.extension().is_some_and(|end| end == "aof"));
        let written = written.filter(|part| !part.to_string_lossy().contains(".base."));
        let file = written.max_by_key(|part| (number(part), part.clone())).context("Redis writes to no file")?;
        let bytes = fs::metadata(&file).with_context(|| format!("{} is gone", file.display()))?.len();
        Ok(FileLength { file, bytes })
    }

    /// Cuts off what was written since it was so long; Redis must not run.
    pub fn cut(&self, length: &FileLength) -> Result<()> {
        if self.length()?.file != length.file {
            // It was rewritten meanwhile, and synced with that.
            return Ok(());
        }
        let file = OpenOptions::new().write(true).open(&length.file);
        let cut = file.and_then(|file: File| file.set_len(length.bytes));
        cut.with_context(|| format!("{} cannot be shortened", length.file.display()))
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

/// The number in `appendonly.aof.3.incr.aof`.
fn number(part: &Path) -> u64 {
    let name = part.file_name().unwrap_or_default().to_string_lossy().into_owned();
    name.split('.').find_map(|piece| piece.parse().ok()).unwrap_or(0)
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

    #[test]
    fn the_newest_part_is_shortened_to_what_it_was() {
        let (old, new) = ("appendonly.aof.9.incr.aof", "appendonly.aof.10.incr.aof");
        let (_home, append_only) = home(&[(old, "old"), (new, "new"), ("appendonly.aof.10.base.rdb", "base")]);
        let length = append_only.length().unwrap();
        fs::write(append_only.home.join(FOLDER).join(new), "new and lost").unwrap();
        append_only.cut(&length).unwrap();
        assert_eq!((text(&append_only, old), text(&append_only, new)), ("old".to_owned(), "new".to_owned()));
    }
}

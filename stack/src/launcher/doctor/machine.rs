//! The machine itself: memory, room on the disk, the clock.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use nix::sys::statvfs::statvfs;

use crate::launcher::doctor::finding::Finding;

const MEBIBYTE: u64 = 1024 * 1024;
/// What the whole platform, its servers included, holds soon after its start: 250 MiB as a debug build.
const MEMORY_TO_RUN: u64 = 300 * MEBIBYTE;
/// Compiling a service takes 1 GiB, and cargo compiles several at once.
const MEMORY_TO_BUILD: u64 = 2048 * MEBIBYTE;
/// A platform that was just started takes 44 MiB.
const DISK_TO_RUN: u64 = 256 * MEBIBYTE;
/// Postgres's log alone may take 1 GiB under load (`max_wal_size`).
const DISK_TO_LIVE: u64 = 2048 * MEBIBYTE;
/// A debug build of everything with its tests takes 4.3 GiB.
const DISK_TO_BUILD: u64 = 6 * 1024 * MEBIBYTE;
/// By how much a clock may differ from that of a file system.
const CLOCK_STEP: Duration = Duration::from_mins(1);

/// What is there, in bytes; none where the system does not tell.
pub struct Room {
    pub memory: Option<u64>,
    /// Where the data goes.
    pub data: Option<u64>,
    /// Where the build goes.
    pub build: Option<u64>,
}

impl Room {
    pub fn look(data: &Path, build: &Path) -> Room {
        Room { memory: available_memory(), data: free_disk(data), build: free_disk(build) }
    }

    /// What there is too little of, to run and, where that is wanted, to build.
    pub fn judge(&self, builds: bool) -> Vec<Finding> {
        let (memory, disk) = ("memory", "disk");
        let free = |bytes| format!("{} available", size(bytes));
        let mut findings = vec![match self.memory {
            None => Finding::ok(memory, "this system does not tell how much is available"),
            Some(bytes) if bytes < MEMORY_TO_RUN => {
                Finding::problem(memory, free(bytes), format!("end other programs: it takes {}", size(MEMORY_TO_RUN)))
            }
            Some(bytes) if builds && bytes < MEMORY_TO_BUILD => Finding::note(memory, free(bytes))
                .with("should the compiler be killed, build with CARGO_BUILD_JOBS=1 or use --prebuilt"),
            Some(bytes) => Finding::ok(memory, free(bytes)),
        }];
        findings.push(match self.data {
            None => Finding::ok(disk, "this system does not tell how much is free"),
            Some(bytes) if bytes < DISK_TO_RUN => Finding::problem(
                disk,
                format!("{} for data", free(bytes)),
                format!("make room, or use --data-dir on another disk: it takes {}", size(DISK_TO_RUN)),
            ),
            Some(bytes) if bytes < DISK_TO_LIVE => Finding::note(disk, format!("{} for data", free(bytes)))
                .with(format!("under load Postgres and Redis may want {}", size(DISK_TO_LIVE))),
            Some(bytes) => Finding::ok(disk, format!("{} for data", free(bytes))),
        });
        if let Some(bytes) = self.build.filter(|bytes| builds && *bytes < DISK_TO_BUILD) {
            let mend = format!("a build from nothing takes up to {}; `cargo clean` makes room", size(DISK_TO_BUILD));
            findings.push(Finding::note(disk, format!("{} for the build", free(bytes))).with(mend));
        }
        findings
    }
}

/// Whether the clock has gone back: `seen` are times that are past for sure.
pub fn judge_clock(now: SystemTime, seen: &[SystemTime]) -> Finding {
    let behind = seen.iter().filter_map(|seen| seen.duration_since(now).ok()).max().unwrap_or_default();
    if behind <= CLOCK_STEP {
        return Finding::ok("clock", "not behind the files that are there");
    }
    let says = format!("{} min behind the files that are there", behind.as_secs() / 60);
    Finding::note("clock", says)
        .with("set it: what is made now seems older than what is there, and ids and tokens hold the time")
}

/// When files were last written, of those that there are.
pub fn written(files: &[PathBuf]) -> Vec<SystemTime> {
    files.iter().filter_map(|file| fs::metadata(file).and_then(|file| file.modified()).ok()).collect()
}

fn size(bytes: u64) -> String {
    let mebibytes = bytes / MEBIBYTE;
    if mebibytes < 10 * 1024 { format!("{mebibytes} MiB") } else { format!("{} GiB", mebibytes / 1024) }
}

fn available_memory() -> Option<u64> {
    available_in(&fs::read_to_string("/proc/meminfo").ok()?)
}

fn available_in(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// What the folder, or the nearest above it that there is, has left for us.
fn free_disk(folder: &Path) -> Option<u64> {
    let there = folder.ancestors().find(|folder| folder.is_dir())?;
    let disk = statvfs(there).ok()?;
    Some(disk.blocks_available() * disk.fragment_size())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launcher::doctor::finding::Verdict;

    fn verdicts(memory: u64, data: u64, build: u64, builds: bool) -> Vec<Verdict> {
        let room = Room { memory: Some(memory * MEBIBYTE), data: Some(data * MEBIBYTE), build: Some(build * MEBIBYTE) };
        room.judge(builds).iter().map(|finding| finding.verdict).collect()
    }

    #[test]
    fn too_little_to_run_is_a_problem_and_too_little_to_build_a_note() {
        use Verdict::{Note, Ok, Problem};
        assert_eq!(verdicts(8000, 9000, 9000, true), [Ok, Ok]);
        assert_eq!(verdicts(200, 100, 9000, true), [Problem, Problem]);
        assert_eq!(verdicts(1000, 1000, 1000, true), [Note, Note, Note]);
        assert_eq!(verdicts(1000, 9000, 1000, false), [Ok, Ok], "what is built already needs no room");
    }

    #[test]
    fn what_is_not_known_is_no_problem() {
        let room = Room { memory: None, data: None, build: None };
        assert!(room.judge(true).iter().all(|finding| finding.verdict == Verdict::Ok));
    }

    #[test]
    fn memory_and_disk_are_read() {
        assert_eq!(available_in("MemTotal: 9 kB\nMemAvailable:    2048 kB\n"), Some(2 * MEBIBYTE));
        let home = tempfile::tempdir().unwrap();
        assert!(free_disk(&home.path().join("not/there/yet")).is_some_and(|bytes| bytes > 0));
        assert_eq!(size(300 * MEBIBYTE), "300 MiB");
        assert_eq!(size(44 * 1024 * MEBIBYTE), "44 GiB");
    }

    #[test]
    fn a_clock_that_went_back_is_noted() {
        let (now, hour) = (SystemTime::now(), Duration::from_hours(1));
        assert_eq!(judge_clock(now, &[now - hour, now]).verdict, Verdict::Ok);
        let finding = judge_clock(now, &[now - hour, now + 2 * hour]);
        assert_eq!(
            (finding.verdict, finding.says.as_str()),
            (Verdict::Note, "120 min behind the files that are there")
        );
    }
}

//! The memory that a process holds.

use std::fs;

use nix::unistd::Pid;

/// The memory of a process that is not swapped out, in bytes; none where the system does not report it (`/proc`: Linux).
pub fn resident_memory(pid: Pid) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// Bytes in words.
pub fn mebibytes(bytes: Option<u64>) -> String {
    bytes.map_or("not known".to_owned(), |bytes| format!("{} MiB", bytes.div_ceil(1024 * 1024)))
}

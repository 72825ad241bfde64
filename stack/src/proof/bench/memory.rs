//! The memory that a process holds.

use std::fs;

use nix::unistd::Pid;

/// The memory of a process that is not swapped out, in bytes; none where the system does not tell (`/proc`: Linux).
pub fn resident(pid: Pid) -> Option<u64> {
    resident_in(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

fn resident_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// An amount of memory as a person says it: `38 MiB`.
pub fn mebibytes(bytes: Option<u64>) -> String {
    bytes.map_or("not known".to_owned(), |bytes| format!("{} MiB", bytes.div_ceil(1024 * 1024)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_in_bytes() {
        assert_eq!(resident_in("VmPeak:\t  9000 kB\nVmRSS:\t    2048 kB\nThreads:\t3\n"), Some(2 * 1024 * 1024));
        assert_eq!(resident_in("Name:\tpost-service\n"), None);
        assert_eq!(mebibytes(Some(1)), "1 MiB");
    }
}

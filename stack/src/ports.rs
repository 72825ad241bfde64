//! Ports of this machine: which are free, and who holds one that is not.

use std::{
    ffi::OsStr,
    fs,
    net::{Ipv4Addr, TcpListener},
    ops::Range,
    path::Path,
};

use anyhow::{Result, bail};

use crate::system::{REPLICA_STEP, SERVICES};

/// Where the ports of a platform apart are looked for: below those that the system gives to outgoing connections.
const APART: Range<u16> = 22_000..32_000;
/// Where its servers listen, counted from its first port.
const SERVERS: u16 = 50;

/// The ports of a platform that runs beside others.
pub struct Apart {
    pub port_base: u16,
    pub postgres_port: u16,
    pub redis_port: u16,
}

impl Apart {
    /// Ports that are free, for so many replicas of every service.
    pub fn choose(replicas: u16) -> Option<Apart> {
        let is_free = |base: &u16| {
            let ports = SERVICES.iter().flat_map(|service| (0..replicas).map(|replica| service.port(*base, replica)));
            let ports = ports.chain([Some(*base + SERVERS), Some(*base + SERVERS + 1)]);
            ports.into_iter().all(|port| port.is_some_and(is_free))
        };
        // Not where everybody else begins to look.
        let first = APART.start + rand::random::<u16>() % (APART.end - APART.start - REPLICA_STEP * replicas);
        let port_base = (first..APART.end).find(is_free)?;
        Some(Apart { port_base, postgres_port: port_base + SERVERS, redis_port: port_base + SERVERS + 1 })
    }
}

/// Whether nobody listens on a port of 127.0.0.1.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The first port from `start` on that is free and not `taken`.
pub fn choose(start: u16, taken: &[u16], is_free: impl Fn(u16) -> bool) -> Option<u16> {
    (start..=u16::MAX).find(|port| !taken.contains(port) && is_free(*port))
}

/// Refuses when one of the ports is in use, and says which and by whom.
pub fn check(wanted: &[(String, u16)]) -> Result<()> {
    let busy: Vec<String> = wanted
        .iter()
        .filter(|(_, port)| !is_free(*port))
        .map(|(name, port)| {
            let owner = owner(*port).unwrap_or_else(|| "another process".to_owned());
            format!("port {port} of {name} is in use by {owner}")
        })
        .collect();
    if busy.is_empty() {
        return Ok(());
    }
    bail!("{}; stop it or choose other ports with --port-base", busy.join(", "))
}

/// Name and process id of who listens on a port, where the system tells (Linux, same user or root).
fn owner(port: u16) -> Option<String> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .flat_map(|table| listeners(&table, port))
        .collect();
    let processes = fs::read_dir("/proc").ok()?;
    let is_process = |name: &OsStr| name.to_string_lossy().bytes().all(|byte| byte.is_ascii_digit());
    for process in processes.flatten().filter(|entry| is_process(&entry.file_name())) {
        let Ok(descriptors) = fs::read_dir(process.path().join("fd")) else { continue };
        let held = descriptors.flatten().filter_map(|descriptor| fs::read_link(descriptor.path()).ok());
        if held.into_iter().any(|link| inodes.iter().any(|inode| link == Path::new(&format!("socket:[{inode}]")))) {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("{} (pid {})", name.trim(), process.file_name().display()));
        }
    }
    None
}

/// The inodes of the sockets that listen on a port, from the text of `/proc/net/tcp`.
fn listeners(table: &str, port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    let wanted = format!(":{port:04X}");
    table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|fields| fields.len() > 9 && fields[1].ends_with(&wanted) && fields[3] == LISTEN)
        .map(|fields| fields[9].to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_free_port_is_chosen() {
        assert_eq!(choose(15_432, &[15_433], |port| port != 15_432), Some(15_434));
    }

    #[test]
    fn no_port_is_chosen_beyond_the_last() {
        assert_eq!(choose(65_534, &[], |_| false), None);
    }

    #[test]
    fn a_port_in_use_is_named_with_its_owner() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = check(&[("auth-service".to_owned(), port)]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("port {port} of auth-service is in use by ")), "{error}");
        if cfg!(target_os = "linux") {
            assert!(error.contains(&format!("(pid {})", std::process::id())), "{error}");
        }
    }

    #[test]
    fn only_listening_sockets_of_the_port_are_found() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0\n\
             1: 0100007F:1F40 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0\n\
             2: 0100007F:1F41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0\n";
        assert_eq!(listeners(table, 8000), ["4711"]);
    }
}

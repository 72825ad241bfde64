//! Reserving the ports of a platform, and the process that is in the way there.

use std::ffi::OsStr;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use anyhow::{Context, Result, bail};
use tokio::net::TcpSocket;

use crate::host::reservations::PortReservations;

/// Connections that wait to be accepted: as many as where a service listens for itself.
const BACKLOG: u32 = 1024;

/// Reserves ports; when one of them is in use, the error names it, the process that uses it and the option to change.
pub fn reserve(wanted: &[(String, u16)], reservations: &mut PortReservations, option: &str) -> Result<()> {
    let mut busy = Vec::new();
    for (name, port) in wanted {
        if !reservations.take(&[*port])? {
            busy.push(format!("port {port} of {name} is in use by {}", called(owner(*port).as_ref())));
        }
    }
    if busy.is_empty() {
        return Ok(());
    }
    bail!("{}; stop it or choose other ports with {option}", busy.join(", "))
}

/// Listens on a port of this machine, for a process that will accept.
pub fn listen(port: u16) -> Result<TcpListener> {
    let socket = TcpSocket::new_v4().context("no socket can be made")?;
    // As a service does that listens for itself.
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into()).with_context(|| format!("port {port} is in use"))?;
    Ok(socket.listen(BACKLOG)?.into_std()?)
}

/// A process that listens on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// As the system knows it: cut after 15 characters.
    pub name: String,
    pub pid: i32,
}

/// A process, or that it is not known, as a part of a sentence.
fn called(owner: Option<&Owner>) -> String {
    owner.map_or_else(|| "another process".to_owned(), |owner| format!("{} (pid {})", owner.name, owner.pid))
}

/// The process that listens on a port, where the system reports it (Linux, same user or root).
pub fn owner(port: u16) -> Option<Owner> {
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
            let pid = process.file_name().to_str().and_then(|pid| pid.parse().ok())?;
            return Some(Owner { name: name.trim().to_owned(), pid });
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
    fn a_port_in_use_is_named_with_its_owner() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let wanted = [("auth-service".to_owned(), port)];
        let error = reserve(&wanted, &mut PortReservations::default(), "--port-base").unwrap_err().to_string();
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

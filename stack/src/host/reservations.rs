//! Ports that are ours while this process lives, whether or not somebody listens on them at the moment.
//!
//! A port that was found free may be taken by another launcher before a server of ours listens on it, and again whenever
//! that server is stopped for a while. So all launchers of a user ask here: a port is a file, and who holds the file's
//! lock holds the port. The lock ends with the process, however that ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use anyhow::{Context, Result};
use nix::unistd::geteuid;

/// Where platforms that may be anywhere look for ports: below those that the system gives to outgoing connections.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
/// The distance between two bases that are tried.
const STEP: u16 = 10;

/// The ports that are held; dropping it gives them back.
#[derive(Debug, Default)]
pub struct PortReservations(Vec<File>);

impl PortReservations {
    /// Takes all of these ports, or none of them: false when somebody listens on one, or another launcher holds it.
    pub fn take(&mut self, ports: &[u16]) -> Result<bool> {
        let folder = folder();
        fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let mut locks = Vec::new();
        for port in ports {
            let path = folder.join(port.to_string());
            let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
            let file = file.with_context(|| format!("{} cannot be opened", path.display()))?;
            match file.try_lock() {
                Ok(()) if is_free(*port) => locks.push(file),
                Ok(()) | Err(TryLockError::WouldBlock) => return Ok(false),
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("{} cannot be locked", path.display()));
                }
            }
        }
        self.0.extend(locks);
        Ok(true)
    }

    /// Takes the ports of somebody who may be anywhere, and says where: `ports` tells which belong to a base.
    pub fn anywhere(&mut self, ports: impl Fn(u16) -> Vec<u16>) -> Result<u16> {
        // Not where everybody else begins to look.
        let places = (PORTS.end - PORTS.start) / STEP;
        let first = rand::random::<u16>() % places;
        for place in 0..places {
            let base = PORTS.start + (first + place) % places * STEP;
            let wanted = ports(base);
            if wanted.iter().all(|port| PORTS.contains(port)) && self.take(&wanted)? {
                return Ok(base);
            }
        }
        anyhow::bail!("no ports are free between {} and {}", PORTS.start, PORTS.end)
    }
}

/// Whether nobody listens on a port of 127.0.0.1.
fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("cargo-stack-ports-{}", geteuid()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_given_to_nobody_else_until_it_is_given_back() {
        let mut holder = PortReservations::default();
        let base = holder.anywhere(|base| vec![base, base + 1]).unwrap();
        let mut other = PortReservations::default();
        assert!(!other.take(&[base + 2, base + 1]).unwrap(), "nobody listens, and it is held");
        assert!(other.take(&[base + 2]).unwrap(), "what was refused is not held in part");
        drop(holder);
        assert!(other.take(&[base, base + 1]).unwrap());
    }

    #[test]
    fn a_port_that_somebody_listens_on_is_not_given() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!PortReservations::default().take(&[port]).unwrap());
    }
}

//! Ports that are reserved while this process lives, whether or not a server listens on them at the moment.
//!
//! A free port may be taken by another launcher before a server listens on it, and again whenever that server is stopped for
//! a while. So all launchers of a user reserve ports here: a port is a file, and the lock of the file is the reservation. It
//! ends with the process, however that ends.

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
    /// Reserves all of these ports, or none of them: false when one is in use, or reserved by another launcher.
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

    /// Reserves ports anywhere; the first of them. `ports` lists those that belong to a first port.
    pub fn anywhere(&mut self, ports: impl Fn(u16) -> Vec<u16>) -> Result<u16> {
        // Not where every other launcher begins.
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

/// Whether a port of 127.0.0.1 is free.
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
    fn a_reserved_port_is_not_given_again_until_it_is_released() {
        let mut holder = PortReservations::default();
        let base = holder.anywhere(|base| vec![base, base + 1]).unwrap();
        let mut other = PortReservations::default();
        assert!(!other.take(&[base + 2, base + 1]).unwrap(), "it is free, and reserved");
        assert!(other.take(&[base + 2]).unwrap(), "what was refused is not held in part");
        drop(holder);
        assert!(other.take(&[base, base + 1]).unwrap());
    }

    #[test]
    fn a_port_in_use_is_not_given() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!PortReservations::default().take(&[port]).unwrap());
    }
}

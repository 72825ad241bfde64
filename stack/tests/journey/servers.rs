//! Servers that a test takes away from a platform and gives back.

use std::fs::File;
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use redis::RedisResult;
use redis::aio::MultiplexedConnection;
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::platform::home;
use crate::reservations::PortReservations;

/// A Redis that keeps what it was given while it is stopped.
pub struct Redis {
    port: u16,
    server: Option<Child>,
    home: TempDir,
    _reservations: PortReservations,
}

impl Redis {
    pub fn start() -> Redis {
        let mut reservations = PortReservations::default();
        let port = reservations.anywhere(|base| vec![base]).unwrap();
        let mut redis = Redis { port, server: None, home: home(), _reservations: reservations };
        redis.start_again();
        redis
    }

    pub fn start_again(&mut self) {
        let server = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--appendonly", "yes", "--save", ""])
            .args(["--appendfsync", "always", "--maxmemory-policy", "noeviction", "--dir"])
            .arg(self.home.path())
            .stdin(Stdio::null())
            .stdout(File::create(self.home.path().join("redis.log")).unwrap())
            .spawn();
        self.server = Some(server.unwrap());
    }

    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            kill(Pid::from_raw(i32::try_from(server.id()).unwrap()), Signal::SIGTERM).unwrap();
            server.wait().unwrap();
        }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes it the replica of a server, or with none a primary.
    pub async fn follow(&self, primary: Option<&Redis>) -> RedisResult<()> {
        let (host, port) = primary.map_or(("no".to_owned(), "one".to_owned()), |primary| {
            (Ipv4Addr::LOCALHOST.to_string(), primary.port.to_string())
        });
        redis::cmd("REPLICAOF").arg(host).arg(port).query_async(&mut self.connection().await?).await
    }

    /// What it says about its replication.
    pub async fn replication(&self) -> RedisResult<String> {
        redis::cmd("INFO").arg("replication").query_async(&mut self.connection().await?).await
    }

    async fn connection(&self) -> RedisResult<MultiplexedConnection> {
        redis::Client::open(self.url())?.get_multiplexed_async_connection().await
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A way to a server of this machine that can be closed: then its port is free, and all connections have ended.
pub struct Link {
    pub port: u16,
    server: Arc<AtomicU16>,
    connections: JoinSet<()>,
    _reservations: PortReservations,
}

impl Link {
    pub async fn to(server: u16) -> Link {
        let mut reservations = PortReservations::default();
        let port = reservations.anywhere(|base| vec![base]).unwrap();
        let server = Arc::new(AtomicU16::new(server));
        let mut link = Link { port, server, connections: JoinSet::new(), _reservations: reservations };
        link.open().await;
        link
    }

    pub async fn open(&mut self) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).await.unwrap();
        let server = self.server.clone();
        self.connections.spawn(async move {
            let mut carried = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let server = server.load(Ordering::Relaxed);
                carried.spawn(async move {
                    if let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await {
                        // Either end may leave as it likes.
                        copy_bidirectional(&mut client, &mut server).await.unwrap_or_default();
                    }
                });
            }
        });
    }

    /// Leads new connections to another server; those that are open stay as they are.
    pub fn lead_to(&self, server: u16) {
        self.server.store(server, Ordering::Relaxed);
    }

    pub async fn close(&mut self) {
        self.connections.shutdown().await;
    }
}

//! A TCP proxy of our own, so that connections can be cut, slowed and made one-sided while both ends stay well.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Bytes carried in one go.
const CHUNK: usize = 16 * 1024;

/// What the connections through a proxy are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    Open,
    /// Every chunk comes so much later, in either direction.
    Slow(Duration),
    /// Requests arrive, answers do not. It ends with the end of the connections, so that the outcome of a request is never
    /// known.
    Mute,
    /// There are none, and new ones end at once.
    Cut,
}

/// A proxy before a server on 127.0.0.1; dropping it ends its connections.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    link: watch::Sender<LinkState>,
    _listening: JoinSet<()>,
}

impl Proxy {
    /// Listens on a free port for a server that may not run yet.
    async fn start(server: u16) -> Result<Proxy> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("the proxy finds no port")?;
        let port = listener.local_addr().context("the proxy's port is not known")?.port();
        let link = watch::Sender::new(LinkState::Open);
        let mut listening = JoinSet::new();
        listening.spawn(listen(listener, server, link.subscribe()));
        Ok(Proxy { port, link, _listening: listening })
    }

    /// Starts one before the server of an address, which is that of the proxy afterwards.
    pub async fn before(server: &mut Url) -> Result<Proxy> {
        let proxy = Proxy::start(server.port().context("a server has no port")?).await?;
        server.set_port(Some(proxy.port)).ok().context("a server has no port")?;
        Ok(proxy)
    }

    pub fn set(&self, link: LinkState) {
        self.link.send_replace(link);
    }
}

async fn listen(listener: TcpListener, server: u16, link: watch::Receiver<LinkState>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                // An error is that of a client which has left already.
                if let Ok((client, _)) = accepted {
                    connections.spawn(carry(client, server, link.clone()));
                }
            }
        }
    }
}

/// Carries one connection until one of its ends, or the link, is gone; then both ends are closed.
async fn carry(client: TcpStream, server: u16, mut link: watch::Receiver<LinkState>) {
    if *link.borrow() == LinkState::Cut {
        return;
    }
    // A server that is not there shows as a connection that ends at once.
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await else { return };
    // Where it cannot be set, packets are late by themselves.
    client.set_nodelay(true).unwrap_or_default();
    server.set_nodelay(true).unwrap_or_default();
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::select! {
        () = pump(from_client, to_server, link.clone(), false) => {}
        () = pump(from_server, to_client, link.clone(), true) => {}
        _ = link.wait_for(|link| *link == LinkState::Cut) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut link: watch::Receiver<LinkState>, answers: bool) {
    let mut chunk = vec![0; CHUNK];
    loop {
        let Ok(length @ 1..) = from.read(&mut chunk).await else { return };
        let state = *link.borrow();
        match state {
            LinkState::Slow(late) => sleep(late).await,
            LinkState::Mute if answers => {
                // The sender goes only with the whole proxy, which ends the connection too.
                link.wait_for(|link| *link != LinkState::Mute).await.map(drop).unwrap_or_default();
                return;
            }
            LinkState::Open | LinkState::Mute | LinkState::Cut => {}
        }
        if to.write_all(&chunk[..length]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, timeout};

    use super::*;

    /// A server that answers every byte with the same byte.
    async fn echo() -> (u16, JoinSet<()>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(async move {
                    let (mut from, mut to) = stream.into_split();
                    tokio::io::copy(&mut from, &mut to).await.unwrap_or_default();
                });
            }
        });
        (port, tasks)
    }

    /// What comes back for a byte; none when the connection ends.
    async fn say(stream: &mut TcpStream, byte: u8) -> Option<u8> {
        stream.write_all(&[byte]).await.ok()?;
        let mut answer = [0];
        stream.read_exact(&mut answer).await.ok()?;
        Some(answer[0])
    }

    #[tokio::test]
    async fn an_open_link_carries_both_ways_and_a_cut_one_nothing() {
        let (port, _server) = echo().await;
        let proxy = Proxy::start(port).await.unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port)).await.unwrap();
        assert_eq!(say(&mut stream, 1).await, Some(1));
        proxy.set(LinkState::Cut);
        assert_eq!(say(&mut stream, 2).await, None);
        let mut late = TcpStream::connect(("127.0.0.1", proxy.port)).await.unwrap();
        assert_eq!(say(&mut late, 3).await, None);
        proxy.set(LinkState::Open);
        let mut new = TcpStream::connect(("127.0.0.1", proxy.port)).await.unwrap();
        assert_eq!(say(&mut new, 4).await, Some(4));
    }

    #[tokio::test]
    async fn a_slow_link_is_late_and_a_mute_one_ends_without_an_answer() {
        let (port, _server) = echo().await;
        let proxy = Proxy::start(port).await.unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port)).await.unwrap();
        proxy.set(LinkState::Slow(Duration::from_millis(40)));
        let began = Instant::now();
        assert_eq!(say(&mut stream, 1).await, Some(1));
        assert!(began.elapsed() >= Duration::from_millis(80));
        proxy.set(LinkState::Mute);
        assert!(timeout(Duration::from_millis(100), say(&mut stream, 2)).await.is_err(), "nothing comes back");
        proxy.set(LinkState::Open);
        assert_eq!(say(&mut stream, 3).await, None);
    }

    #[tokio::test]
    async fn a_server_that_is_away_ends_the_connection() {
        let (port, server) = echo().await;
        drop(server);
        let proxy = Proxy::start(port).await.unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port)).await.unwrap();
        assert_eq!(say(&mut stream, 1).await, None);
    }
}

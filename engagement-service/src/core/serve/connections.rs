//! Accepts connections and serves requests on them, within bounds: a client that never ends its header, that is idle, that
//! does not read its answer, or that opens connection after connection must not keep others out. What a request may take
//! once its header is there is the middleware's to limit.
use std::convert::Infallible;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::core::ground::telemetry::meters::InFlight;

/// How long accepting pauses after it failed: most likely all file descriptors are in use.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// The bounds of connections.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Connections served at once; others wait in the backlog of the listener.
    pub open: usize,
    /// How long a connection may go without a whole header, from its first moment and from the end of each answer.
    /// Proxies must give up idle connections earlier, or they send requests into those that end.
    pub header: Duration,
    /// How long a client may take nothing of an answer.
    pub write: Duration,
}

impl ConnectionLimits {
    /// The bounds with that many connections.
    pub const fn new(open: usize) -> Self {
        Self { open, header: Duration::from_secs(30), write: Duration::from_secs(30) }
    }

    /// Serves the routes until the stop, and then until the requests under way are answered.
    pub async fn serve(self, listener: TcpListener, routes: Router, stop: CancellationToken) {
        let (permits, connections) = (Arc::new(Semaphore::new(self.open)), TaskTracker::new());
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(self.header);
        while let Some(Ok(permit)) = stop.run_until_cancelled(permits.clone().acquire_owned()).await {
            let Some((stream, peer)) = stop.run_until_cancelled(accept(&listener)).await else { break };
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(self.write));
            let (routes, stop) = (routes.clone(), stop.clone());
            // Boxed: the connection keeps room for a call as long as it lives, and its task would hold it twice.
            let answer = service_fn(move |request| Box::pin(call(routes.clone(), peer, request)));
            let mut connection =
                Box::pin(http.serve_connection(TokioIo::new(Box::pin(stream)), answer).with_upgrades());
            connections.spawn(async move {
                let (_permit, _open) = (permit, InFlight::begin(metrics::gauge!("http_connections_open")));
                let ended = tokio::select! {
                    ended = connection.as_mut() => ended,
                    () = stop.cancelled() => {
                        connection.as_mut().graceful_shutdown();
                        connection.await
                    }
                };
                if let Err(error) = ended {
                    tracing::debug!(%peer, %error, "a connection broke off");
                }
            });
        }
        drop(listener);
        connections.close();
        connections.wait().await;
    }
}

/// The socket to accept from, and whether it was passed: as standard input, as inetd and systemd pass one. Its owner can start
/// the next process of a service beside the one that serves, and the address is never without a listener.
pub async fn listen(address: SocketAddr) -> anyhow::Result<(TcpListener, bool)> {
    let passed = std::net::TcpListener::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    if passed.local_addr().ok() != Some(address) {
        return Ok((TcpListener::bind(address).await?, false));
    }
    passed.set_nonblocking(true)?;
    Ok((TcpListener::from_std(passed)?, true))
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn call(routes: Router, peer: SocketAddr, request: hyper::Request<Incoming>) -> Result<Response, Infallible> {
    let mut request: Request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    routes.oneshot(request).await
}

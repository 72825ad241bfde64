//! What the core does with connections of clients that are slow on purpose.
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::core::serve::connections::ConnectionLimits;

/// How long anything here may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(10);
/// Larger than all buffers between two sockets together.
const LARGE: usize = 64 * 1024 * 1024;

/// A server with short bounds.
struct Server {
    address: SocketAddr,
    /// A request that is held has begun, and may be answered.
    begun: Arc<Notify>,
    release: Arc<Notify>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Server {
    async fn start(open: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop, tasks) = (listener.local_addr().unwrap(), CancellationToken::new(), TaskTracker::new());
        let (begun, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (entered, gate) = (begun.clone(), release.clone());
        let hold = async move || {
            entered.notify_one();
            gate.notified().await;
            "held"
        };
        let routes = Router::new()
            .route("/", get(async || "well"))
            .route("/held", get(hold))
            .route("/large", get(async || Body::from(vec![0_u8; LARGE])));
        let short = Duration::from_millis(50);
        let limits = ConnectionLimits { open, header: short, write: short };
        tasks.spawn(limits.serve(listener, routes, stop.clone()));
        Self { address, begun, release, stop, tasks }
    }

    /// A connection on which this was sent.
    async fn connect(&self, sent: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        stream
    }

    /// The answer to a whole request, on a connection of its own.
    async fn ask(&self) -> String {
        let stream = self.connect("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        read_all(stream).await
    }
}

async fn read_all(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    read.expect("the connection was kept open").ok();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Two thousand connections whose header never ended were once kept for ever.
#[tokio::test]
async fn a_header_that_never_ends_ends_its_connection_and_lets_others_in() {
    let server = Server::start(1).await;
    for begun in ["", "GET / HTTP/1.1\r\nHost: x\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let slow = server.connect(begun).await;
        assert!(server.ask().await.ends_with("well"), "{begun:?} held up others");
        let answered = read_all(slow).await;
        assert_eq!(answered.ends_with("well"), begun.ends_with("\r\n\r\n"), "{answered}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_read_ends_its_connection() {
    let server = Server::start(1).await;
    let deaf = server.connect("GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(server.ask().await.ends_with("well"));
    assert!(read_all(deaf).await.len() < LARGE);
}

#[tokio::test]
async fn a_stop_waits_for_the_request_under_way_and_for_no_idle_connection() {
    let server = Server::start(2).await;
    let idle = server.connect("").await;
    let held = server.connect("GET /held HTTP/1.1\r\nHost: x\r\n\r\n").await;
    server.begun.notified().await;
    server.stop.cancel();
    assert_eq!(read_all(idle).await, "");
    server.release.notify_one();
    assert!(read_all(held).await.ends_with("held"));
    server.tasks.close();
    tokio::time::timeout(PATIENCE, server.tasks.wait()).await.expect("it did not stop");
}

//! A measurement: what open streams cost in memory.
use std::net::SocketAddr;

use futures::{StreamExt, TryStreamExt};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::core::serve::connections::ConnectionLimits;
use crate::core::testing::new_user;
use crate::notifications::tests::Scene;
use crate::token_check;

/// Streams that are opened; their cost is scaled to 10,000. Both ends of each are in this process, which may have 20,000 files
/// open on most machines, and to open more takes minutes in a debug build.
const STREAMS: usize = 3_000;
/// What 10,000 may cost, in KiB: the clients' ends, which are measured with it, among it.
const MAX_KIB: usize = 200 * 1024;

/// The memory of this process, in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// A stream of a new user, whose first event was read; asked for again while the machine is too busy to check a token in time.
async fn open(address: SocketAddr) -> std::io::Result<TcpStream> {
    loop {
        if let Some(stream) = try_to_open(address).await? {
            return Ok(stream);
        }
    }
}

async fn try_to_open(address: SocketAddr) -> std::io::Result<Option<TcpStream>> {
    let mut stream = TcpStream::connect(address).await?;
    let token = new_user().0;
    let request =
        format!("GET /api/v1/me/notifications/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let (mut read, mut part) = (String::new(), [0; 1024]);
    while !read.contains("\"unread\"") {
        let bytes = stream.read(&mut part).await?;
        assert!(bytes > 0, "the stream ended: {read}");
        read.push_str(&String::from_utf8_lossy(&part[..bytes]));
        if read.starts_with("HTTP/1.1 503") {
            return Ok(None);
        }
    }
    Ok(Some(stream))
}

#[sqlx::test(migrations = false)]
#[ignore = "a measurement, of a minute: cargo test -p engagement-service -- --ignored --nocapture memory"]
async fn ten_thousand_open_streams_take_less_than_200_mib(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    // On a thread of its own, as tokens are checked elsewhere.
    let elsewhere = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let settings = elsewhere.spawn(token_check::start_stub_auth_service()).await.unwrap();
    let platform = scene.beside(&["--stream-heartbeat", "30", &settings[0], &settings[1]]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    tasks.spawn(ConnectionLimits::new(STREAMS + 100).serve(listener, platform.router.clone(), stop.clone()));
    // What the first ones need is not what one more costs.
    let mut open_streams: Vec<_> =
        (0..100).map(|_| open(address)).collect::<futures::stream::FuturesUnordered<_>>().try_collect().await.unwrap();
    let before = resident();
    let more = futures::stream::iter(100..STREAMS).map(|_| open(address)).buffer_unordered(16);
    open_streams.extend(more.try_collect::<Vec<_>>().await.unwrap());
    let is_open = |stream: &&TcpStream| {
        let read = stream.try_read(&mut [0; 64]);
        !matches!(read, Ok(0))
    };
    let open = open_streams.iter().filter(is_open).count();
    assert!(open > STREAMS * 9 / 10, "{open} are still open");
    let cost = (resident() - before) * 10_000 / (open - 100);
    println!("10,000 open streams: {} MiB, {} KiB each", cost / 1024, cost / 10_000);
    assert!(cost < MAX_KIB, "{cost} KiB");
    stop.cancel();
    elsewhere.shutdown_background();
}

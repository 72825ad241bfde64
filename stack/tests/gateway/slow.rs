//! Clients that send slowly, or never end: they are disconnected, and meanwhile all others are answered.

use std::net::SocketAddr;
use std::time::Duration;

use futures::future::join_all;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use reqwest::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};

use super::platform::GatewayPlatform;

/// Headers that one client begins and does not end.
const SLOW: u64 = 9_000;
/// Open files that the test needs beside them.
const BESIDE: u64 = 500;
/// How long a header may take (`client_header_timeout`), and how much longer nginx may need to notice for all of them.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
const SLACK: Duration = Duration::from_secs(5);

/// Lets this process open as many files as it may, and says how many of the wanted connections that allows.
fn affordable() -> u64 {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
    SLOW.min(most.saturating_sub(BESIDE))
}

/// A connection from another address of this machine than all others have.
async fn connect(gateway: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    socket.connect(gateway).await.unwrap()
}

#[tokio::test]
async fn a_client_of_nine_thousand_headers_that_do_not_end_refuses_no_other() {
    let platform = GatewayPlatform::up(&["--rate-limits"]);
    let gateway = platform.authority().parse().unwrap();
    let (count, began) = (affordable(), Instant::now());
    let mut slow = Vec::new();
    for _ in 0..count {
        let mut stream = connect(gateway).await;
        stream.write_all(b"GET /api/v1/users/interests-choices HTTP/1.1\r\nHost: gateway\r\nX-Slow: ").await.unwrap();
        slow.push(stream);
    }
    assert!(began.elapsed() < HEADER_TIMEOUT, "they are open at once, after {:?}", began.elapsed());
    for _ in 0..50 {
        let asked = Instant::now();
        let answer = platform.ask(Method::GET, "/api/v1/users/interests-choices", None).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(asked.elapsed() < Duration::from_secs(1), "answered after {:?}", asked.elapsed());
    }
    let ends = slow.iter_mut().map(async |stream| {
        let mut rest = Vec::new();
        // A reset is an end as well.
        timeout(HEADER_TIMEOUT + SLACK, stream.read_to_end(&mut rest)).await.is_ok()
    });
    let ended = join_all(ends).await.into_iter().filter(|ended| *ended).count();
    assert_eq!(ended as u64, count, "of {count} connections {ended} were ended");
    platform.stop();
}

#[tokio::test]
async fn a_body_that_stands_still_is_not_waited_for() {
    let platform = GatewayPlatform::up(&[]);
    let mut stream = connect(platform.authority().parse().unwrap()).await;
    let head = "POST /api/v1/auth/signin HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut rest = Vec::new();
    let ended = timeout(HEADER_TIMEOUT + SLACK, stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "it is still open");
    platform.stop();
}

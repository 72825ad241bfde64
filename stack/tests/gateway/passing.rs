//! What goes on for long is passed through as it comes, and what is large is compressed.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::platform::GatewayPlatform;
use super::raw;
use super::upstream::{Upstream, values};

/// What is held back would not come before the test's own end.
const AT_ONCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn websockets_and_events_are_passed_through_and_json_is_compressed() {
    let post = Upstream::start().await;
    let platform = GatewayPlatform::up(&["--set", &post.instead_of("post")]);
    let ada = platform.join("ada").await;
    let (authority, token) = (platform.authority(), format!("Authorization: Bearer {}\r\n", ada.token));
    let upgrade = "Connection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n";

    let refused = raw::get(authority, "/api/v1/posts/live", "Upgrade: websocket\r\n").await;
    assert_eq!(refused.problem(401), "Not authenticated");
    let mut socket = TcpStream::connect(authority).await.unwrap();
    let request = format!("GET /api/v1/posts/live HTTP/1.1\r\nHost: {authority}\r\n{upgrade}{token}\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(AT_ONCE, socket.read_u8()).await.unwrap().unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    for word in ["ping", "pong"] {
        socket.write_all(word.as_bytes()).await.unwrap();
        let mut echo = [0; 4];
        timeout(AT_ONCE, socket.read_exact(&mut echo)).await.unwrap().unwrap();
        assert_eq!(echo, word.as_bytes());
    }
    assert_eq!(values(&post.last(), "x-user-id"), [&ada.id]);
    drop(socket);

    // Any other upgrade would be a way past the gateway.
    let other = format!("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n{token}");
    assert_eq!(raw::get(authority, "/api/v1/posts", &other).await.status, 200);
    assert_eq!((values(&post.last(), "upgrade"), values(&post.last(), "connection")), (vec![], vec![]));

    let events = platform.ask(Method::GET, "/api/v1/posts/events", Some(&ada.token));
    let mut events =
        events.header("Accept", "text/event-stream").header("Accept-Encoding", "gzip").send().await.unwrap();
    assert!(!events.headers().contains_key("content-encoding"));
    let first = timeout(AT_ONCE, events.chunk()).await.expect("it is not held back").unwrap().unwrap();
    assert_eq!(first, "data: one\n\n");
    post.release.notify_one();
    assert_eq!(timeout(AT_ONCE, events.chunk()).await.unwrap().unwrap().unwrap(), "data: two\n\n");
    let anonymous = platform.ask(Method::GET, "/api/v1/posts/events", None).header("Accept", "text/event-stream");
    assert_eq!(anonymous.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);

    let large = || platform.ask(Method::GET, "/api/v1/posts/large", Some(&ada.token));
    let plain = large().send().await.unwrap();
    assert!(!plain.headers().contains_key("content-encoding"));
    let length = plain.bytes().await.unwrap().len();
    let packed = large().header("Accept-Encoding", "gzip").send().await.unwrap();
    assert_eq!(
        (&packed.headers()["content-encoding"], &packed.headers()["vary"]),
        (&"gzip".parse().unwrap(), &"Accept-Encoding".parse().unwrap())
    );
    let packed = packed.bytes().await.unwrap().len();
    assert!(length > 15_000 && packed < length / 10, "{length} became {packed}");
    platform.stop();
}

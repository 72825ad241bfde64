//! What the gateway refuses by itself, and how it says so.

use std::fmt::Write as _;
use std::time::Instant;

use nix::sys::signal::Signal;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::platform::GatewayPlatform;
use super::raw::{self, get, send};
use super::upstream::Upstream;

/// Ways to what is not for strangers; `{dead}` is an operator's route.
const TRICKS: [&str; 30] = [
    "/metrics",
    "/metrics/",
    "//metrics",
    "/./metrics",
    "/Metrics",
    "/%6detrics",
    "/metrics;x=y",
    "/metrics%00",
    "/metrics#/api/v1/posts",
    "/api/v1/posts/../../../metrics",
    "/api/v1/posts/..%2f..%2f..%2fmetrics",
    "/api/v1/posts/%2e%2e/%2e%2e/%2e%2e/metrics",
    "/api/v1/posts/..;/..;/..;/metrics",
    "/docs/post/../../metrics",
    "/docs/post/..%2f..%2fmetrics",
    "/status/post/../../metrics",
    "/pages/../../metrics",
    "http://127.0.0.1/metrics",
    "http://evil.example/metrics",
    "/health/ready",
    "/health/lag",
    "/openapi.json",
    "/internal/dead-letters",
    "/INTERNAL/dead-letters",
    "//internal/dead-letters",
    "/internal/./dead-letters",
    "/%69nternal/dead-letters",
    // Normalised it is a public route, and as it is written an operator's.
    "/internal/dead-letters/..%2f..%2fapi%2fv1%2fposts",
    "/internal/../api/v1/posts/../../../internal/dead-letters",
    "http://127.0.0.1/internal/dead-letters",
];

#[tokio::test]
async fn no_trick_leads_to_what_is_not_for_strangers() {
    let platform = GatewayPlatform::up(&[]);
    let ada = platform.join("ada").await;
    // Even with the operators' own token.
    for token in [platform.connection("SERVICE_TOKEN"), ada.token] {
        for trick in TRICKS {
            let answer = get(platform.authority(), trick, &format!("Authorization: Bearer {token}\r\n")).await;
            assert!([400, 404].contains(&answer.status), "{trick}: {answer:?}");
            answer.problem(answer.status);
            let line = platform.logged(answer.header("x-request-id")).await;
            assert_eq!(line["upstream"], "", "{trick}: {line}");
        }
    }
    // The same requests, straight to a service, would be answered: there is something to keep back.
    let direct = platform.service("post").trim_start_matches("http://");
    assert_eq!(get(direct, "/metrics", "").await.status, 200);
    let operator = format!("Authorization: Bearer {}\r\n", platform.connection("SERVICE_TOKEN"));
    assert_eq!(get(direct, "/internal/dead-letters", &operator).await.status, 200);
    let smuggled = "/internal/dead-letters/..%2f..%2fapi%2fv1%2fposts";
    assert_eq!(get(direct, smuggled, &operator).await.status, 422, "it is an operator's route there");
    platform.stop();
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_in_a_problem_document() {
    let post = Upstream::start().await;
    let platform = GatewayPlatform::up(&["--set", &post.instead_of("post")]);
    let ada = platform.join("ada").await;
    let authority = platform.authority();
    let token = format!("Authorization: Bearer {}\r\n", ada.token);
    let with = async |line: &str, headers: &str, body: &[u8]| {
        let head = format!("{line} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n{token}{headers}\r\n");
        send(authority, &[head.as_bytes(), body].concat()).await
    };

    for path in
        ["/", "/nothing", "/api", "/api/v1", "/api/v2/posts", "/api/v1/me/comments", "/docs/nothing/", "/status/all"]
    {
        let answer = get(authority, path, "").await;
        if path == "/" {
            assert_eq!(answer.status, 200);
        } else {
            assert_eq!(answer.problem(404), "Not Found", "{path}");
        }
    }
    for method in ["TRACE", "CONNECT", "PROPFIND", "NONSENSE"] {
        let answer = with(&format!("{method} /api/v1/posts"), "", b"").await;
        // What is no method of nginx's cannot be taken apart further.
        assert_eq!(answer.problem(405), "Method Not Allowed", "{method}");
    }
    assert_eq!(with("POST /", "", b"").await.header("allow"), "GET, HEAD");
    assert_eq!(with("DELETE /status/post", "", b"").await.problem(405), "Method Not Allowed");

    let largest = vec![b' '; 128 * 1024];
    let length = |bytes: &[u8]| format!("Content-Length: {}\r\n", bytes.len());
    assert_eq!(with("POST /api/v1/posts", &length(&largest), &largest).await.status, 200);
    let larger = vec![b' '; 128 * 1024 + 1];
    let refused = with("POST /api/v1/posts", &length(&larger), &larger).await;
    assert_eq!(refused.problem(413), "The body is too large");
    assert_eq!(platform.logged(refused.header("x-request-id")).await["method"], "POST", "and not as what it became");
    let mut chunks = format!("{:x}\r\n", larger.len()).into_bytes();
    chunks.extend([larger.as_slice(), b"\r\n0\r\n\r\n"].concat());
    let chunked = with("POST /api/v1/posts", "Transfer-Encoding: chunked\r\n", &chunks).await;
    assert_eq!(chunked.problem(413), "The body is too large");
    let upload = vec![b' '; (10 * 1024 + 64) * 1024];
    assert_eq!(with("POST /api/v1/media", &length(&upload), &upload).await.status, 200);
    let header = format!("Content-Length: {}\r\n", upload.len() + 1);
    assert_eq!(with("POST /api/v1/media", &header, b"").await.problem(413), "The body is too large");

    let long = "a".repeat(9000);
    get(authority, &format!("/api/v1/posts?q={long}"), "").await.problem(414);
    get(authority, "/api/v1/posts", &format!("X-Long: {long}\r\n")).await.problem(431);
    let many = (0..200).fold(String::new(), |mut headers, number| {
        write!(headers, "X-{number}: {}\r\n", &long[..250]).unwrap();
        headers
    });
    get(authority, "/api/v1/posts", &many).await.problem(431);
    for nonsense in ["nonsense\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"] {
        send(authority, nonsense.as_bytes()).await.problem(400);
    }
    platform.stop();
}

#[tokio::test]
async fn who_is_slow_is_let_go_and_who_does_not_answer_is_given_up() {
    let platform = GatewayPlatform::up(&[]);
    let ada = platform.join("ada").await;
    let authority = platform.authority();
    let opening =
        format!("POST /api/v1/posts HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {}\r\n", ada.token);
    let drops = [opening.clone(), format!("{opening}Content-Length: 9\r\n\r\n{{")];
    platform.pause("moderation-service").await;

    let began = Instant::now();
    let [slow_head, slow_body] = drops.map(|drop| async move {
        let mut stream = TcpStream::connect(authority).await.unwrap();
        stream.write_all(drop.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // The connection may be reset, which is an end as well.
        stream.read_to_end(&mut answer).await.unwrap_or_default();
        (answer.len(), began.elapsed())
    });
    let mute = platform.ask(Method::GET, "/api/v1/me/moderations", Some(&ada.token)).send();
    let (head, body, mute) = tokio::join!(slow_head, slow_body, mute);
    for (answered, after) in [head, body] {
        assert_eq!(answered, 0, "nothing is said to who does not listen");
        assert!((9.0..15.0).contains(&after.as_secs_f64()), "{after:?}");
    }
    let waited = began.elapsed();
    assert!((30.5..36.0).contains(&waited.as_secs_f64()), "{waited:?}");
    let mute = mute.unwrap();
    assert_eq!(mute.status(), StatusCode::GATEWAY_TIMEOUT);
    let problem: Value = mute.json().await.unwrap();
    assert_eq!((&problem["status"], &problem["detail"]), (&504.into(), &"The service did not answer in time".into()));
    platform.signal_to("moderation-service", Signal::SIGCONT);
    platform.stop();
}

#[tokio::test]
async fn a_head_is_answered_as_the_service_answers_it_and_an_old_client_too() {
    let platform = GatewayPlatform::up(&[]);
    let ada = platform.join("ada").await;
    let authority = platform.authority();
    let head = async |path: &str| {
        let request = format!(
            "HEAD {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\r\n",
            ada.token
        );
        send(authority, request.as_bytes()).await
    };
    let answer = head("/api/v1/posts").await;
    assert_eq!((answer.status, answer.body.as_str(), answer.header("allow")), (405, "", "GET"));
    for path in ["/", "/docs", "/docs/auth/", "/health/live", "/.well-known/jwks.json", "/status/auth"] {
        let answer = head(path).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{path}");
    }
    let old = send(authority, b"GET /api/v1/users/interests-choices HTTP/1.0\r\n\r\n").await;
    assert_eq!(old.status, 200, "{old:?}");
    let slash = get(authority, "/api/v1/posts/?a=b", &format!("Authorization: Bearer {}\r\n", ada.token)).await;
    assert_eq!((slash.status, slash.header("location")), (307, "/api/v1/posts?a=b"), "on this origin");
    raw::get(authority, "/docs/auth", "").await.header("location").strip_prefix("/docs/auth/").unwrap();
    platform.stop();
}

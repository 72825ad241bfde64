//! What the gateway passes to a service about its caller: what it has verified, and nothing that the client made up.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::platform::GatewayPlatform;
use super::raw;
use super::upstream::{Upstream, values};

/// Headers that only the gateway may write, each with a value that must not arrive.
const SPOOFED: [&str; 16] = [
    "X-User-Id",
    "X-User-Role",
    "X-User-Status",
    "X-Request-ID",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Server",
    "X-Real-IP",
    "Forwarded",
    "traceparent",
    "tracestate",
    "baggage",
    "X_User_Id",
];

#[tokio::test]
async fn what_a_client_says_of_itself_is_replaced() {
    let post = Upstream::start().await;
    let platform = GatewayPlatform::up(&["--set", &post.instead_of("post")]);
    let ada = platform.join("ada").await;
    let spoofed = SPOOFED.map(|name| format!("{name}: spoofed\r\n")).concat();
    let token = format!("Authorization: Bearer {}\r\n", ada.token);

    let answer = raw::get(platform.authority(), "/api/v1/posts", &format!("{spoofed}{token}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let head = post.last();
    assert!(!head.contains("spoofed"), "{head}");
    let one = |name: &str| {
        let found = values(&head, name);
        assert_eq!(found.len(), 1, "{name}: {head}");
        found[0].to_owned()
    };
    assert_eq!(
        [one("x-user-id"), one("x-user-role"), one("x-user-status")],
        [ada.id.as_str(), "USER", "INACTIVE"],
        "{head}"
    );
    assert_eq!([one("x-forwarded-for"), one("x-real-ip")], ["127.0.0.1", "127.0.0.1"]);
    assert_eq!([one("x-forwarded-proto"), one("x-forwarded-host")], ["http", platform.authority()]);
    assert_eq!(one("authorization"), format!("Bearer {}", ada.token), "the service checks it again");

    let id = answer.header("x-request-id");
    assert_eq!(one("x-request-id"), id);
    let trace: Vec<_> = one("traceparent").split('-').map(str::to_owned).collect();
    assert_eq!((trace[0].as_str(), trace[1].as_str(), trace[2].len(), trace[3].as_str()), ("00", id, 16, "01"));
    let line = platform.logged(id).await;
    assert_eq!((&line["user"], &line["path"]), (&json!(ada.id), &json!("/api/v1/posts")));

    // On a public route no name is passed on, not even that of the client.
    let request = platform.ask(Method::OPTIONS, "/api/v1/posts", Some(&ada.token)).header("X-User-Id", "spoofed");
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(values(&post.last(), "x-user-id"), Vec::<&str>::new());
    platform.stop();
}

#[tokio::test]
async fn the_id_of_a_request_is_the_one_that_its_service_logs_and_secrets_are_in_no_log() {
    let platform = GatewayPlatform::up(&[]);
    let ada = platform.join("ada").await;
    let path = "/api/v1/auth/reset-password?reset_token=a-secret-token&password=x&confirmed_password=y";
    let answer = platform.ask(Method::POST, path, Some(&ada.token)).send().await.unwrap();
    let direct = platform.http.post(format!("{}/api/v1/auth/reset-password", platform.service("auth")));
    assert_eq!(direct.send().await.unwrap().status(), StatusCode::UNPROCESSABLE_ENTITY);
    let id = answer.headers()["x-request-id"].to_str().unwrap();
    let line = platform.logged(id).await;
    assert_eq!(line["path"], "/api/v1/auth/reset-password");
    let log = platform.access_log();
    assert!(!log.contains("a-secret-token") && !log.contains(&ada.token), "{log}");

    // The service goes on with the gateway's trace: without the gateway's word its answer has an id of its own.
    let traced = platform.http.get(format!("{}/api/v1/auth/verify-token", platform.service("auth")));
    let traced = traced.bearer_auth(&ada.token).header("traceparent", format!("00-{id}-{}-01", &id[..16]));
    assert_eq!(traced.send().await.unwrap().headers()["x-request-id"], id);
    platform.stop();
}

#[tokio::test]
async fn a_cookie_becomes_a_token_where_the_request_comes_from_a_page_of_ours() {
    let post = Upstream::start().await;
    let (upstream, listed) =
        (post.instead_of("post"), "gateway.GATEWAY_COOKIE_ORIGINS=https://app.example,https://b.example");
    let platform = GatewayPlatform::up(&["--set", &upstream, "--set", "gateway.GATEWAY_COOKIES=on", "--set", listed]);
    let (ada, ben) = (platform.join("ada").await, platform.join("ben").await);
    let cookie = format!("theme=dark; access_token={}; x_access_token=other", ada.token);
    let by_cookie = |method: Method| platform.ask(method, "/api/v1/posts", None).header("Cookie", &cookie);

    assert_eq!(by_cookie(Method::GET).send().await.unwrap().status(), StatusCode::OK);
    let head = post.last();
    assert_eq!(values(&head, "authorization"), [format!("Bearer {}", ada.token)]);
    assert_eq!(values(&head, "x-user-id"), [&ada.id]);
    assert_eq!(values(&head, "cookie"), Vec::<&str>::new(), "only the auth service reads cookies");

    for (name, value) in
        [("Sec-Fetch-Site", "same-origin"), ("Origin", "https://app.example"), ("Origin", "https://b.example")]
    {
        let answer = by_cookie(Method::POST).header(name, value).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{name}: {value}");
    }
    let forged = [
        ("X-Nothing", "said"),
        ("Sec-Fetch-Site", "same-site"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Origin", "https://app.example.evil"),
        ("Origin", "https://app-example"),
        ("Origin", "https://evil.example"),
        ("Origin", "app.example"),
        ("Origin", "https://app.example,https://b.example"),
        ("Origin", "null"),
    ];
    for (name, value) in forged {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let answer = by_cookie(method).header(name, value).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{name}: {value}");
            let problem: serde_json::Value = answer.json().await.unwrap();
            assert_eq!(problem["detail"], "This request does not come from a page of ours");
        }
    }
    // A view is counted, and a WebSocket is open to whatever it carries.
    let view = format!("/api/v1/{}/view", ada.id);
    let forged = raw::get(platform.authority(), &view, &format!("Cookie: {cookie}\r\n")).await;
    assert_eq!(forged.status, 403, "{forged:?}");
    let upgrade = format!("Cookie: {cookie}\r\nUpgrade: websocket\r\nOrigin: https://evil.example\r\n");
    assert_eq!(raw::get(platform.authority(), "/api/v1/posts", &upgrade).await.status, 403);

    // A header is meant; no other site can send one.
    let both = by_cookie(Method::POST).bearer_auth(&ben.token).send().await.unwrap();
    assert_eq!(both.status(), StatusCode::OK);
    assert_eq!(values(&post.last(), "x-user-id"), [&ben.id]);
    // What is public goes without: no user is signed in, or kept from it, by a cookie.
    let body = json!({ "email": ben.email, "password": "wrong" });
    let sign_in = platform.ask(Method::POST, "/api/v1/auth/signin", None).header("Cookie", &cookie).json(&body);
    assert_eq!(sign_in.send().await.unwrap().status(), StatusCode::NOT_FOUND);
    platform.stop();
}

#[tokio::test]
async fn cookies_are_nothing_unless_they_are_wanted() {
    let platform = GatewayPlatform::up(&[]);
    let ada = platform.join("ada").await;
    let cookie = format!("access_token={}", ada.token);
    let answer = platform.ask(Method::GET, "/api/v1/users/me", None).header("Cookie", cookie).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    platform.stop();
}

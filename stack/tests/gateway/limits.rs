//! How often one address may ask, and whose address that is.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::platform::{GatewayPlatform, eventually};
use super::upstream::{Upstream, values};

const TRUSTED: [&str; 2] = ["--set", "gateway.GATEWAY_TRUSTED_PROXY=127.0.0.1"];

#[tokio::test]
async fn too_many_are_refused_by_address_and_elsewhere_one_goes_on() {
    let settings =
        ["--rate-limits", "--set", "gateway.GATEWAY_STRICT_BURST=2", "--set", "gateway.GATEWAY_STRICT_RATE=1r/m"];
    let platform = GatewayPlatform::up(&[&settings[..], &TRUSTED].concat());
    let guess = async |from: &str| {
        let request = platform.ask(Method::POST, "/api/v1/auth/signin", None).header("X-Forwarded-For", from);
        request.json(&json!({})).send().await.unwrap()
    };
    for _ in 0..3 {
        assert_eq!(guess("198.51.100.7").await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    }
    let refused = guess("198.51.100.7").await;
    assert_eq!(
        (refused.status(), &refused.headers()["retry-after"]),
        (StatusCode::TOO_MANY_REQUESTS, &"2".parse().unwrap())
    );
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    let line = platform.logged(refused.headers()["x-request-id"].to_str().unwrap()).await;
    assert_eq!(
        (&line["upstream"], &line["client"], &line["peer"]),
        (&json!(""), &json!("198.51.100.7"), &json!("127.0.0.1"))
    );
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(
        problem,
        json!({ "type": "about:blank", "title": "Too Many Requests", "status": 429, "detail": "Too many requests" })
    );

    assert_eq!(guess("198.51.100.8").await.status(), StatusCode::UNPROCESSABLE_ENTITY, "somebody else");
    // What the client wrote itself stands left of what the proxy appended.
    assert_eq!(guess("192.0.2.1, 198.51.100.7").await.status(), StatusCode::TOO_MANY_REQUESTS);
    // A household of IPv6 has a /64.
    for household in ["2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:3:4:5:6"] {
        assert_eq!(guess(household).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(guess("2001:db8:1:2:ffff::9").await.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(guess("2001:db8:1:3::1").await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let other = platform.ask(Method::GET, "/api/v1/users/interests-choices", None);
    let other = other.header("X-Forwarded-For", "198.51.100.7").send().await.unwrap();
    assert_eq!(other.status(), StatusCode::OK, "the wider limit is another one");
    platform.stop();
}

#[tokio::test]
async fn everything_has_a_limit_and_none_without_rate_limits() {
    let set = ["--set", "gateway.GATEWAY_BURST=5", "--set", "gateway.GATEWAY_RATE=1r/m"];
    for (limits, expected) in [(&["--rate-limits"][..], 6), (&[], 20)] {
        let platform = GatewayPlatform::up(&[limits, &set].concat());
        let mut passed = 0;
        for _ in 0..20 {
            let answer = platform.ask(Method::GET, "/api/v1/users/interests-choices", None).send().await.unwrap();
            passed += usize::from(answer.status() == StatusCode::OK);
        }
        assert_eq!(passed, expected);
        platform.stop();
    }
}

#[tokio::test]
async fn so_much_is_under_way_at_once_and_no_more() {
    let post = Upstream::start().await;
    let (upstream, two) = (post.instead_of("post"), "gateway.GATEWAY_CONNECTIONS=2");
    let platform = GatewayPlatform::up(&["--rate-limits", "--set", &upstream, "--set", two]);
    let ada = platform.join("ada").await;
    let listen = async || {
        let events = platform.ask(Method::GET, "/api/v1/posts/events", Some(&ada.token));
        events.header("Accept", "text/event-stream").send().await.unwrap()
    };
    let open = [listen().await, listen().await];
    assert_eq!(open.each_ref().map(Response::status), [StatusCode::OK; 2]);
    assert_eq!(listen().await.status(), StatusCode::TOO_MANY_REQUESTS);
    drop(open);
    eventually("there is room again", async || listen().await.status(), |status| *status == StatusCode::OK).await;
    platform.stop();
}

#[tokio::test]
async fn services_count_and_remember_the_client_and_not_the_gateway() {
    let post = Upstream::start().await;
    let upstream = post.instead_of("post");
    let platform = GatewayPlatform::up(&[&["--set", upstream.as_str()][..], &TRUSTED].concat());
    let ada = platform.join("ada").await;
    let from = |path: &str| {
        platform.ask(Method::GET, path, Some(&ada.token)).header("X-Forwarded-For", "192.0.2.1, 203.0.113.9")
    };
    assert_eq!(from("/api/v1/posts").send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(values(&post.last(), "x-forwarded-for"), ["203.0.113.9"], "and not what stands left of it");

    let credentials = json!({ "email": ada.email, "password": "a long walk by the sea" });
    let sign_in = platform.ask(Method::POST, "/api/v1/auth/signin", None).header("X-Forwarded-For", "203.0.113.9");
    assert_eq!(sign_in.json(&credentials).send().await.unwrap().status(), StatusCode::OK);
    let sessions: Value = from("/api/v1/auth/sessions").send().await.unwrap().json().await.unwrap();
    assert!(sessions[0].to_string().contains("203.0.113.0/24"), "{sessions}");
    platform.stop();
}

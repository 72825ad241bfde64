//! The check of tokens: asked once, believed for seconds, and never guessed.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::platform::{GatewayPlatform, eventually};
use super::upstream::{Upstream, values};

/// A verdict holds to the end of the five seconds of the clock in which it was given.
const BELIEVED: Duration = Duration::from_secs(5);
/// How long the auth service is waited for, and a moment for the test.
const WAITED: Duration = Duration::from_secs(4);
/// Requests at once.
const FLOOD: usize = 60;

#[tokio::test]
async fn a_flood_of_one_token_asks_once_and_only_a_yes_is_a_yes() {
    let (auth, post) = (Upstream::start().await, Upstream::start().await);
    let platform = GatewayPlatform::up(&["--set", &auth.instead_of("auth"), "--set", &post.instead_of("post")]);
    let status =
        async |token: &str| platform.ask(Method::GET, "/api/v1/posts", Some(token)).send().await.unwrap().status();
    let asked = || auth.heads().len();

    // The question is asked before the body is forwarded, and announces none.
    let write = platform.ask(Method::POST, "/api/v1/posts", Some("good")).json(&json!({ "title": "A title" }));
    assert_eq!(write.send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(values(&auth.last(), "content-length"), [""; 0]);

    let mut flood = JoinSet::new();
    for _ in 0..FLOOD {
        flood.spawn(platform.ask(Method::GET, "/api/v1/posts", Some("good")).send());
    }
    for answer in flood.join_all().await {
        assert_eq!(answer.unwrap().status(), StatusCode::OK);
    }
    // The clock may have struck in between.
    assert!((1..=2).contains(&asked()), "{} questions for {FLOOD} requests and one", asked());
    assert_eq!(post.heads().len(), FLOOD + 1);

    for _ in 0..FLOOD {
        assert_eq!(status("bad").await, StatusCode::UNAUTHORIZED);
    }
    assert!(asked() <= 6, "{} questions", asked());
    let before = asked();
    for token in ["broken", "broken too"] {
        assert_eq!(status(token).await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(status(token).await, StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(asked(), before + 4, "what is no verdict is not kept");
    assert_eq!(post.heads().len(), FLOOD + 1, "nobody else was let through");
    let question = &auth.heads()[0];
    assert!(question.starts_with("GET /api/v1/auth/verify-token HTTP/1.1"), "{question}");
    platform.stop();
}

#[tokio::test]
async fn without_the_auth_service_a_verdict_holds_to_its_end_and_nobody_else_gets_in() {
    let post = Upstream::start().await;
    let platform = GatewayPlatform::up(&["--set", &post.instead_of("post")]);
    let (ada, ben) = (platform.join("ada").await, platform.join("ben").await);
    let posts = async |token: &str| platform.ask(Method::GET, "/api/v1/posts", Some(token)).send().await.unwrap();
    let known_since = Instant::now();
    assert_eq!(posts(&ada.token).await.status(), StatusCode::OK);

    // It neither answers nor refuses: the worst way to be away.
    platform.pause("auth-service").await;
    let arrived = post.heads().len();
    let refused = posts(&ben.token).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        (&refused.headers()["retry-after"], &refused.headers()["www-authenticate"]),
        (&"2".parse().unwrap(), &"Bearer".parse().unwrap())
    );
    let problem: Value = refused.json().await.unwrap();
    assert_eq!((&problem["status"], &problem["detail"]), (&503.into(), &"Authetication service unavailable".into()));
    assert_eq!(post.heads().len(), arrived);
    let answer = async || posts(&ada.token).await.status();
    eventually("her verdict ends", answer, |status| *status == StatusCode::SERVICE_UNAVAILABLE).await;
    let known_for = known_since.elapsed();
    assert!(known_for < BELIEVED + 2 * WAITED, "{known_for:?}");
    // What is public needs no verdict, and every other service is there.
    let public = platform.ask(Method::OPTIONS, "/api/v1/posts", None).send().await.unwrap();
    assert_eq!(public.status(), StatusCode::OK);

    platform.signal_to("auth-service", Signal::SIGCONT);
    for token in [&ada.token, &ben.token] {
        eventually("it heals", async || posts(token).await.status(), |status| *status == StatusCode::OK).await;
    }
    platform.stop();
}

#[tokio::test]
async fn who_signs_out_is_out_within_five_seconds() {
    let post = Upstream::start().await;
    let platform = GatewayPlatform::up(&["--set", &post.instead_of("post")]);
    let ada = platform.join("ada").await;
    let posts = async || platform.ask(Method::GET, "/api/v1/posts", Some(&ada.token)).send().await.unwrap().status();
    assert_eq!(posts().await, StatusCode::OK);
    let out = platform.ask(Method::POST, "/api/v1/auth/signout", Some(&ada.token)).send().await.unwrap();
    assert_eq!(out.status(), StatusCode::NO_CONTENT);
    let since = Instant::now();
    eventually("she is out", posts, |status| *status == StatusCode::UNAUTHORIZED).await;
    let after = since.elapsed();
    assert!(after <= BELIEVED + Duration::from_millis(500), "{after:?}");
    platform.stop();
}

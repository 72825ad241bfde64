//! A service that is away, and a gateway that ends.

use nix::sys::signal::Signal;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::reservations::PortReservations;

use super::platform::{GatewayPlatform, eventually};
use super::upstream::Upstream;

#[tokio::test]
async fn a_service_that_is_away_is_502_until_it_is_there() {
    let mut reservations = PortReservations::default();
    let port = reservations.anywhere(|base| vec![base]).unwrap();
    let elsewhere = format!("gateway.GATEWAY_MODERATION=127.0.0.1:{port}");
    let platform = GatewayPlatform::up(&["--set", &elsewhere]);
    let ada = platform.join("ada").await;
    let moderations =
        async || platform.ask(Method::GET, "/api/v1/me/moderations", Some(&ada.token)).send().await.unwrap();

    let away = moderations().await;
    assert_eq!((away.status(), &away.headers()["retry-after"]), (StatusCode::BAD_GATEWAY, &"2".parse().unwrap()));
    assert_eq!(away.headers()["content-type"], "application/problem+json");
    let line = platform.logged(away.headers()["x-request-id"].to_str().unwrap()).await;
    assert_eq!((&line["service"], &line["status"]), (&json!("moderation"), &json!(502)));
    let problem: Value = away.json().await.unwrap();
    let expected = json!({ "type": "about:blank", "title": "Bad Gateway", "status": 502, "detail": "The service cannot be reached" });
    assert_eq!(problem, expected);
    let state = platform.ask(Method::GET, "/status/moderation", None).send().await.unwrap();
    assert_eq!(state.status(), StatusCode::BAD_GATEWAY);
    let others = platform.ask(Method::GET, "/api/v1/users/me", Some(&ada.token)).send().await.unwrap();
    assert_eq!(others.status(), StatusCode::OK, "nobody else is");

    let service = Upstream::start_at(port).await;
    eventually("it is found", async || moderations().await.status(), |status| *status == StatusCode::OK).await;
    assert!(service.last().starts_with("GET /api/v1/me/moderations "), "{}", service.last());
    platform.stop();
}

#[tokio::test]
async fn of_two_replicas_one_is_enough() {
    let platform = GatewayPlatform::up(&["--replicas", "2"]);
    let ada = platform.join("ada").await;
    platform.signal_to("engagement-service-2", Signal::SIGKILL);
    let state = async || {
        platform.ask(Method::GET, "/api/v1/me/activity-profile", Some(&ada.token)).send().await.unwrap().status()
    };
    eventually("her profile is there", state, |status| *status == StatusCode::OK).await;
    for _ in 0..20 {
        assert_eq!(state().await, StatusCode::OK);
    }
    platform.stop();
}

#[tokio::test]
async fn a_gateway_that_dies_is_named_and_takes_the_platform_with_it() {
    let mut platform = GatewayPlatform::up(&[]);
    platform.signal_to("gateway", Signal::SIGTERM);
    let (code, said) = (platform.ended().code(), platform.stderr());
    assert_eq!(code, Some(1));
    assert!(said.contains("error: gateway ended (exit status: 0)"), "{said}");
    let gone = platform.http.get(format!("{}/health/live", platform.gateway())).send().await;
    assert!(gone.is_err(), "{gone:?}");
}

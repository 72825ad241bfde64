//! Apple's push service, through a local one that speaks HTTP/2.
use axum::http::Version;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::Utc;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode_header};
use p256::SecretKey;
use p256::pkcs8::{EncodePrivateKey, LineEnding};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::{
    PushService, VAPID_KEY, a_message_that_is_too_large_shrinks_once, answer_with, common_answers_are_understood,
    deliveries, outcome, push, register, send,
};
use crate::SERVICE;
use crate::core::testing::{Platform, new_user};
use crate::devices::Provider;

fn key() -> SecretKey {
    SecretKey::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(VAPID_KEY).unwrap()).unwrap()
}

fn phone() -> Value {
    json!({ "provider": "APNS", "token": "00FC13ADFF785122B4AD28809A3420982341241421348097878E577C991DE8F0" })
}

async fn with_apns(database: PgConnectOptions, service: &PushService, sandbox: &PushService) -> Platform {
    let key = key().to_pkcs8_pem(LineEnding::LF).unwrap();
    let settings = [
        &format!("--apns-key={}", key.as_str()),
        "--apns-key-id",
        "ABC123DEFG",
        "--apns-team-id",
        "DEF123GHIJ",
        "--apns-topic",
        "org.example.social",
        "--apns-url",
        service.url(),
        "--apns-sandbox-url",
        sandbox.url(),
        "--push-timeout-ms",
        "300",
    ];
    Platform::start(&SERVICE, database, &settings).await
}

#[sqlx::test(migrations = false)]
async fn an_app_gets_a_message_by_http_2_for_a_token_of_the_team(_: PgPoolOptions, database: PgConnectOptions) {
    let (service, sandbox) = (PushService::start().await, PushService::start().await);
    let platform = with_apns(database, &service, &sandbox).await;
    let (anna, her) = new_user();
    register(&platform, &anna, phone()).await;
    let tablet =
        json!({ "provider": "APNS", "token": "00ff", "topic": "org.example.tablet", "environment": "SANDBOX" });
    register(&platform, &anna, tablet).await;
    let notification = push(&platform, her, "Well said").await;
    send(&platform, Provider::Apns).await;

    let taken = service.taken();
    assert_eq!(taken.len(), 1);
    let first = &taken[0];
    assert_eq!(first.version, Version::HTTP_2);
    assert_eq!(first.path, "/3/device/00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0");
    let headers = ["apns-topic", "apns-push-type", "apns-priority"].map(|name| first.header(name));
    assert_eq!(headers, ["org.example.social", "alert", "10"]);
    let lifetime = first.header("apns-expiration").parse::<i64>().unwrap() - Utc::now().timestamp();
    assert!((86_390..=86_400).contains(&lifetime), "{lifetime}");
    assert!(first.header("apns-collapse-id").len() <= 64);
    assert_eq!(first.header("apns-id").len(), 36);
    let expected = json!({
        "aps": { "alert": { "title": "Ann commented on your post", "body": "Well said" }, "thread-id": "comments:1" },
        "url": "/posts/1",
        "notification_id": notification,
    });
    assert_eq!(first.json(), expected);

    let token = first.header("authorization").strip_prefix("bearer ").unwrap();
    assert_eq!(decode_header(token).unwrap().kid.as_deref(), Some("ABC123DEFG"));
    let mut check = Validation::new(Algorithm::ES256);
    check.set_required_spec_claims::<&str>(&[]);
    check.validate_exp = false;
    let public = DecodingKey::from_ec_der(&key().public_key().to_sec1_bytes());
    let claims = jsonwebtoken::decode::<Value>(token, &public, &check).unwrap().claims;
    assert_eq!(claims["iss"], "DEF123GHIJ");
    assert!((0..60).contains(&(Utc::now().timestamp() - claims["iat"].as_i64().unwrap())));

    let taken = sandbox.taken();
    assert_eq!((taken[0].path.as_str(), taken[0].header("apns-topic")), ("/3/device/00ff", "org.example.tablet"));
    assert!(deliveries(&platform).await.iter().all(|one| one.state == "SENT"));
}

#[sqlx::test(migrations = false)]
async fn what_apple_answers_decides(_: PgPoolOptions, database: PgConnectOptions) {
    let service = PushService::start().await;
    let platform = with_apns(database, &service, &service).await;
    common_answers_are_understood(&platform, &service, Provider::Apns, &phone()).await;
    for (status, reason, state, kept) in [
        (410, "Unregistered", "GONE", false),
        (410, "ExpiredToken", "GONE", false),
        (400, "BadDeviceToken", "GONE", false),
        (400, "DeviceTokenNotForTopic", "FAILED", true),
        (400, "BadTopic", "FAILED", true),
        (403, "InvalidProviderToken", "FAILED", true),
        (403, "ExpiredProviderToken", "WAITING", true),
        (404, "BadPath", "FAILED", true),
        (429, "TooManyRequests", "WAITING", true),
        (503, "Shutdown", "WAITING", true),
    ] {
        let planned = answer_with(status, &[], json!({ "reason": reason }));
        let (seen, is_kept) = outcome(&platform, &service, Provider::Apns, &phone(), planned).await;
        assert_eq!((seen.state.as_str(), is_kept), (state, kept), "{reason}: {seen:?}");
        let error = seen.error.unwrap_or_default();
        assert!(error.ends_with(reason), "{reason}: {error}");
    }
    let smaller = a_message_that_is_too_large_shrinks_once(&platform, &service, Provider::Apns, &phone()).await;
    assert_eq!(smaller.json()["aps"]["alert"]["body"], "");
}

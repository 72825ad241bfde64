//! Firebase Cloud Messaging, through a local service that is both Google's token endpoint and FCM.
use chrono::Utc;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode_header};
use p256::pkcs8::{PrivateKeyInfo, SecretDocument};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::{
    Planned, PushService, a_message_that_is_too_large_shrinks_once, answer, answer_with, common_answers_are_understood,
    deliveries, delivery, outcome, push, register, run, send, sender,
};
use crate::SERVICE;
use crate::core::ground::worker::Worker;
use crate::core::testing::{Platform, new_user};
use crate::devices::Provider;

/// A key that was made for these tests.
const KEY: &str = include_str!("rsa.pem");

/// The public key, within the private one: PKCS #1 begins with version, modulus and exponent.
fn public_key() -> DecodingKey {
    let (_, document) = SecretDocument::from_pem(KEY).unwrap();
    let key: PrivateKeyInfo = document.decode_msg().unwrap();
    let private = key.private_key;
    // SEQUENCE (4), version (3), INTEGER with a length of two bytes (4): a modulus of 257 bytes; INTEGER (2) of 3 bytes.
    let (modulus, rest) = private[11..].split_at(257);
    DecodingKey::from_rsa_raw_components(&modulus[1..], &rest[2..5])
}

fn phone() -> Value {
    json!({ "provider": "FCM", "token": "fcm-token:of_anna-1" })
}

/// The service with Firebase; FCM and the token endpoint are two services.
async fn with_fcm(database: PgConnectOptions, tokens: &PushService, fcm: &PushService) -> Platform {
    let account = json!({
        "type": "service_account",
        "project_id": "our-project",
        "private_key_id": "key-1",
        "private_key": KEY,
        "client_email": "push@our-project.iam.gserviceaccount.com",
        "token_uri": format!("{}/token", tokens.url()),
    });
    let (account, url) = (account.to_string(), fcm.url());
    let settings = ["--fcm-service-account", &account, "--fcm-url", url, "--push-timeout-ms", "300"];
    Platform::start(&SERVICE, database, &settings).await
}

fn token(name: &str) -> Planned {
    answer_with(200, &[], json!({ "access_token": name, "expires_in": 3600, "token_type": "Bearer" }))
}

fn error(status: u16, code: &str, details: &Value) -> Planned {
    answer_with(status, &[], json!({ "error": { "code": status, "status": code, "details": details } }))
}

#[sqlx::test(migrations = false)]
async fn an_app_gets_a_message_for_a_token_that_google_gave(_: PgPoolOptions, database: PgConnectOptions) {
    let (tokens, fcm) = (PushService::start().await, PushService::start().await);
    let platform = with_fcm(database, &tokens, &fcm).await;
    let (anna, her) = new_user();
    register(&platform, &anna, phone()).await;
    tokens.plan([token("first")]);
    let notification = push(&platform, her, "Well said").await;
    push(&platform, her, "And again").await;
    send(&platform, Provider::Fcm).await;

    let asked = tokens.taken();
    assert_eq!(asked.len(), 1, "one token is for many messages");
    assert_eq!(asked[0].path, "/token");
    let form: Vec<(String, String)> = serde_urlencoded::from_bytes(&asked[0].body).unwrap();
    assert_eq!(form[0], ("grant_type".into(), "urn:ietf:params:oauth:grant-type:jwt-bearer".into()));
    let assertion = &form[1].1;
    assert_eq!(decode_header(assertion).unwrap().kid.as_deref(), Some("key-1"));
    let mut check = Validation::new(Algorithm::RS256);
    check.set_audience(&[format!("{}/token", tokens.url())]);
    let claims = jsonwebtoken::decode::<Value>(assertion, &public_key(), &check).unwrap().claims;
    assert_eq!(claims["iss"], "push@our-project.iam.gserviceaccount.com");
    assert_eq!(claims["scope"], "https://www.googleapis.com/auth/firebase.messaging");
    assert!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() <= 3_600);
    assert!(claims["iat"].as_i64().unwrap() <= Utc::now().timestamp());

    let taken = fcm.taken();
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[0].path, "/v1/projects/our-project/messages:send");
    assert_eq!(taken[0].header("authorization"), "Bearer first");
    let message = &taken[0].json()["message"];
    assert_eq!(message["token"], "fcm-token:of_anna-1");
    assert_eq!(message["notification"], json!({ "title": "Ann commented on your post", "body": "Well said" }));
    assert_eq!(message["data"], json!({ "url": "/posts/1", "notification_id": notification }));
    assert_eq!(message["android"]["notification"]["tag"], "comments:1");
    let ttl: i64 = message["android"]["ttl"].as_str().unwrap().strip_suffix('s').unwrap().parse().unwrap();
    assert!((86_390..=86_400).contains(&ttl), "{ttl}");
    let collapse = &message["android"]["collapse_key"];
    assert_eq!(*collapse, taken[1].json()["message"]["apns"]["headers"]["apns-collapse-id"]);
    assert!(deliveries(&platform).await.iter().all(|one| one.state == "SENT"));
}

#[sqlx::test(migrations = false)]
async fn what_fcm_answers_decides(_: PgPoolOptions, database: PgConnectOptions) {
    let (tokens, fcm) = (PushService::start().await, PushService::start().await);
    let platform = with_fcm(database, &tokens, &fcm).await;
    // Each sender of this test has a token of its own.
    tokens.plan((0..40).map(|_| token("good")));
    common_answers_are_understood(&platform, &fcm, Provider::Fcm, &phone()).await;
    let details =
        |code: &str| json!([{ "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code }]);
    let about = |field: &str| {
        json!([{ "@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{ "field": field }] },
            { "errorCode": "INVALID_ARGUMENT" }])
    };
    for (planned, state, kept) in [
        (error(404, "NOT_FOUND", &details("UNREGISTERED")), "GONE", false),
        (error(400, "INVALID_ARGUMENT", &about("message.token")), "GONE", false),
        (error(400, "INVALID_ARGUMENT", &about("message.android.ttl")), "FAILED", true),
        (error(403, "PERMISSION_DENIED", &details("SENDER_ID_MISMATCH")), "FAILED", true),
        (error(404, "NOT_FOUND", &json!([])), "FAILED", true),
        (error(429, "RESOURCE_EXHAUSTED", &details("QUOTA_EXCEEDED")), "WAITING", true),
        (error(503, "UNAVAILABLE", &details("UNAVAILABLE")), "WAITING", true),
        (error(401, "UNAUTHENTICATED", &details("THIRD_PARTY_AUTH_ERROR")), "WAITING", true),
    ] {
        let what = format!("{planned:?}");
        let (seen, is_kept) = outcome(&platform, &fcm, Provider::Fcm, &phone(), planned).await;
        assert_eq!((seen.state.as_str(), is_kept), (state, kept), "{what}: {seen:?}");
    }
    let smaller = a_message_that_is_too_large_shrinks_once(&platform, &fcm, Provider::Fcm, &phone()).await;
    assert_eq!(smaller.json()["message"]["notification"]["body"], "");
}

#[sqlx::test(migrations = false)]
async fn a_token_that_is_refused_is_replaced_and_none_is_no_reason_to_lose_a_message(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let (tokens, fcm) = (PushService::start().await, PushService::start().await);
    let platform = with_fcm(database, &tokens, &fcm).await;
    let (anna, her) = new_user();
    register(&platform, &anna, phone()).await;
    tokens.plan([token("old"), token("new")]);
    fcm.plan([answer(401)]);
    push(&platform, her, "Well said").await;
    let mut one = sender(&platform, Provider::Fcm);
    one.step().await.unwrap();
    assert_eq!(delivery(&platform).await.state, "WAITING");
    run(&platform, "update push_delivery set due_at = now()").await;
    one.step().await.unwrap();
    assert_eq!(delivery(&platform).await.state, "SENT");
    let used: Vec<_> = fcm.taken().iter().map(|taken| taken.header("authorization").to_owned()).collect();
    assert_eq!(used, ["Bearer old", "Bearer new"]);

    run(&platform, "truncate push_delivery").await;
    tokens.plan([answer_with(400, &[], json!({ "error": "invalid_grant" }))]);
    register(&platform, &anna, json!({ "provider": "FCM", "token": "another-phone" })).await;
    push(&platform, her, "Well said").await;
    tokens.taken();
    sender(&platform, Provider::Fcm).step().await.unwrap();
    let all = deliveries(&platform).await;
    assert_eq!(all.len(), 2);
    for seen in all {
        let reason = "no access token: 400 Bad Request \"invalid_grant\"";
        assert_eq!((seen.state.as_str(), seen.error.as_deref()), ("WAITING", Some(reason)));
    }
    assert_eq!((tokens.taken().len(), fcm.taken().len()), (1, 0), "all wait for one answer");
}

/// Google refuses a message because of Apple's credentials: its own token was right, and is used for the next message.
#[sqlx::test(migrations = false)]
async fn a_token_is_kept_when_the_credentials_of_another_push_service_are_wrong(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let (tokens, fcm) = (PushService::start().await, PushService::start().await);
    let platform = with_fcm(database, &tokens, &fcm).await;
    let (anna, her) = new_user();
    register(&platform, &anna, phone()).await;
    tokens.plan([token("good"), token("another")]);
    fcm.plan([error(401, "UNAUTHENTICATED", &json!([{ "errorCode": "THIRD_PARTY_AUTH_ERROR" }]))]);
    push(&platform, her, "Well said").await;
    let mut one = sender(&platform, Provider::Fcm);
    one.step().await.unwrap();
    assert_eq!(delivery(&platform).await.state, "WAITING");
    run(&platform, "update push_delivery set due_at = now()").await;
    one.step().await.unwrap();
    assert_eq!(delivery(&platform).await.state, "SENT");
    let used: Vec<_> = fcm.taken().iter().map(|taken| taken.header("authorization").to_owned()).collect();
    assert_eq!(used, ["Bearer good", "Bearer good"]);
}

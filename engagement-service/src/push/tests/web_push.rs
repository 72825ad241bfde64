//! Web Push, through a local push service: what it can check, what only the browser can read, and what it answers.
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::Utc;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use p256::{PublicKey, SecretKey};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::{
    PushService, Taken, a_message_that_is_too_large_shrinks_once, answer_with, browser, common_answers_are_understood,
    deliveries, delivery, outcome, push, register, run, send, with_web_push,
};
use crate::core::testing::new_user;
use crate::devices::Provider;
use crate::push::encryption::{derive, encrypt_with};

fn bytes(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// What the browser with RFC 8291's keys reads.
pub(super) fn decrypted(taken: &Taken) -> Value {
    let (salt, rest) = taken.body.split_at(16);
    let (size, rest) = rest.split_at(4);
    assert_eq!(size, 4096_u32.to_be_bytes());
    let (length, rest) = rest.split_first().unwrap();
    let (theirs, record) = rest.split_at((*length).into());
    let ours = SecretKey::from_slice(&bytes("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")).unwrap();
    let point = PublicKey::from_sec1_bytes(theirs).unwrap();
    let shared = p256::ecdh::diffie_hellman(ours.to_nonzero_scalar(), point.as_affine());
    let (auth, public) = (bytes("BTBZMqHH6r4Tts7J_aSIgg"), ours.public_key().to_sec1_bytes());
    assert_eq!(public.len(), 65);
    let (key, nonce) = derive(shared.raw_secret_bytes(), &auth, &public, theirs, salt.try_into().unwrap()).unwrap();
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
    let mut record = record.to_vec();
    let plain = key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record).unwrap();
    let (last, message) = plain.split_last().unwrap();
    assert_eq!(*last, 2, "the delimiter of the last record");
    serde_json::from_slice(message).unwrap()
}

#[test]
fn the_example_of_rfc_8291_is_encrypted_as_there() {
    let ours = SecretKey::from_slice(&bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")).unwrap();
    let browsers = bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
    let (salt, auth) = (bytes("DGv6ra1nlYgDCS1FRnbzlw"), bytes("BTBZMqHH6r4Tts7J_aSIgg"));
    let message = b"When I grow up, I want to be a watermelon";
    let body = encrypt_with(&ours, salt.try_into().unwrap(), message, &browsers, &auth).unwrap();
    assert_eq!(
        BASE64_URL_SAFE_NO_PAD.encode(body),
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3\
         jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    );
}

#[sqlx::test(migrations = false)]
async fn a_browser_gets_a_message_that_only_it_reads(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = (with_web_push(database).await, PushService::start().await);
    let (anna, her) = new_user();
    register(&platform, &anna, browser(&service, "anna")).await;
    let key = platform.call("GET", "/push/vapid-public-key", Some(&anna), None).await.body;
    let notification = push(&platform, her, "Well \"said\",\nAnna").await;
    push(&platform, her, "And again").await;
    send(&platform, Provider::WebPush).await;

    let taken = service.taken();
    assert_eq!(taken.len(), 2);
    let first = &taken[0];
    assert_eq!(first.path, "/push/anna");
    assert_eq!([first.header("content-encoding"), first.header("urgency")], ["aes128gcm", "normal"]);
    let ttl: i64 = first.header("ttl").parse().unwrap();
    assert!((86_390..=86_400).contains(&ttl), "{ttl}");
    let topic = first.header("topic");
    assert!(topic.len() == 32 && topic.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{topic}");
    assert_eq!(topic, taken[1].header("topic"), "the second replaces the first");
    let expected = json!({ "title": "Ann commented on your post", "body": "Well \"said\", Anna", "url": "/posts/1",
        "tag": "comments:1", "notification_id": notification });
    assert_eq!(decrypted(first), expected);
    assert_eq!(decrypted(&taken[1])["body"], "And again");
    assert_ne!(first.body[..16], taken[1].body[..16], "a salt is used once");
    assert_ne!(first.body[21..86], taken[1].body[21..86], "and so is a key");

    let authorization = first.header("authorization").strip_prefix("vapid t=").unwrap();
    let (token, public) = authorization.split_once(", k=").unwrap();
    assert_eq!(key["public_key"], public, "the key that the browser has subscribed with");
    let mut check = Validation::new(Algorithm::ES256);
    check.set_audience(&[service.url()]);
    check.set_required_spec_claims(&["exp", "aud", "sub"]);
    let claims =
        jsonwebtoken::decode::<Value>(token, &DecodingKey::from_ec_der(&bytes(public)), &check).unwrap().claims;
    assert_eq!(claims["sub"], "mailto:operators@example.org");
    let lifetime = claims["exp"].as_i64().unwrap() - Utc::now().timestamp();
    assert!((3_600..=86_400).contains(&lifetime), "{lifetime}");
    let all = deliveries(&platform).await;
    assert!(all.iter().all(|one| one.state == "SENT" && one.tries == 1 && !one.has_words), "{all:?}");
}

#[sqlx::test(migrations = false)]
async fn what_a_push_service_answers_decides(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = with_web_push(database).await.beside(&["--push-timeout-ms", "300"]);
    let service = PushService::start().await;
    let device = browser(&service, "anna");
    common_answers_are_understood(&platform, &service, Provider::WebPush, &device).await;
    let not_found = answer_with(404, &[], Value::Null);
    let (seen, kept) = outcome(&platform, &service, Provider::WebPush, &device, not_found).await;
    assert_eq!((seen.state.as_str(), kept), ("GONE", false), "{seen:?}");
    let smaller = a_message_that_is_too_large_shrinks_once(&platform, &service, Provider::WebPush, &device).await;
    assert_eq!(decrypted(&smaller)["body"], "");
    assert_eq!(decrypted(&smaller)["title"], "Ann commented on your post");
}

/// A redirect would lead past all that was checked of the endpoint.
#[sqlx::test(migrations = false)]
async fn a_redirect_is_not_followed(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = (with_web_push(database).await, PushService::start().await);
    let elsewhere = PushService::start().await;
    let redirect = answer_with(307, &[("location", elsewhere.url())], Value::Null);
    let device = browser(&service, "anna");
    let (seen, kept) = outcome(&platform, &service, Provider::WebPush, &device, redirect).await;
    assert_eq!((seen.state.as_str(), seen.status, kept), ("FAILED", Some(307), true));
    assert!(elsewhere.taken().is_empty());
}

/// Where a device was registered before its host's name led into the machine.
#[sqlx::test(migrations = false)]
async fn no_endpoint_leads_into_a_private_network(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = (with_web_push(database).await, PushService::start().await);
    let (anna, her) = new_user();
    register(&platform, &anna, browser(&service, "anna")).await;
    let strict = platform.beside(&["--push-allow-private", "false"]);
    for endpoint in ["http://localhost/x", "https://localhost/x", "https://127.0.0.1/x", "https://[::1]/x"] {
        let mut device = browser(&service, "anna");
        device["endpoint"] = endpoint.into();
        let refused = strict.call("POST", "/me/devices", Some(&anna), Some(device)).await;
        assert_eq!((refused.status.as_u16(), &refused.body["detail"][0]["loc"]), (422, &json!(["body", "endpoint"])));
    }
    push(&strict, her, "Well said").await;
    send(&strict, Provider::WebPush).await;
    assert_eq!(delivery(&platform).await.state, "FAILED");
    run(&platform, "truncate push_delivery; update device set address = 'https://localhost/x'").await;
    push(&strict, her, "Well said").await;
    send(&strict, Provider::WebPush).await;
    let seen = delivery(&platform).await;
    let reason = Some("the endpoint's host is not on the public internet".to_owned());
    assert_eq!((seen.state.as_str(), seen.error), ("FAILED", reason));
    assert!(service.taken().is_empty());
}

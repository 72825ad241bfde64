//! Devices, through their routes.
use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::SERVICE;
use crate::core::testing::{Platform, Reply, new_user};

/// The keys of RFC 8291's example.
const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

fn browser(endpoint: &str) -> Value {
    json!({ "provider": "WEB_PUSH", "endpoint": endpoint, "keys": { "p256dh": P256DH, "auth": AUTH } })
}

fn phone(token: impl Into<Value>) -> Value {
    json!({ "provider": "FCM", "token": token.into() })
}

async fn register(platform: &Platform, token: &str, device: Value) -> Reply {
    platform.call("POST", "/me/devices", Some(token), Some(device)).await
}

async fn list(platform: &Platform, token: &str) -> Vec<Value> {
    let reply = platform.call("GET", "/me/devices", Some(token), None).await;
    assert_eq!(reply.status, 200);
    serde_json::from_value(reply.body).unwrap()
}

#[sqlx::test(migrations = false)]
async fn a_user_registers_lists_and_removes_devices(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let desk = register(&platform, &anna, browser("https://1.1.1.1/push/secret")).await;
    assert_eq!(desk.status, 201);
    let tablet = json!({ "provider": "APNS", "token": "00FF", "environment": "SANDBOX", "topic": "org.example.app" });
    let tablet = register(&platform, &format!("{anna}:MUTED"), tablet).await;
    assert_eq!(tablet.status, 201, "a muted user may be reached: {tablet:?}");
    let all = list(&platform, &anna).await;
    assert_eq!(all, [tablet.body.clone(), desk.body.clone()]);
    let shown = json!({ "id": desk.body["id"], "provider": "WEB_PUSH", "host": "1.1.1.1",
        "registered_at": desk.body["registered_at"] });
    assert_eq!(all[1], shown, "and nothing that is secret");
    assert_eq!((&all[0]["provider"], &all[0]["host"]), (&json!("APNS"), &Value::Null));

    let again = register(&platform, &anna, browser("https://1.1.1.1/push/secret")).await;
    assert_eq!((again.status.as_u16(), &again.body["id"]), (201, &desk.body["id"]), "it is renewed");
    assert!(again.body["registered_at"].as_str() > desk.body["registered_at"].as_str());
    let path = format!("/me/devices/{}", desk.body["id"].as_str().unwrap());
    let foreign = platform.call("DELETE", &path, Some(&bert), None).await;
    assert_eq!((foreign.status.as_u16(), &foreign.body["detail"]), (404, &json!("Device not found")));
    assert_eq!(platform.call("DELETE", &path, Some(&anna), None).await.status, 204);
    assert_eq!(platform.call("DELETE", &path, Some(&anna), None).await.status, 404);
    assert_eq!(list(&platform, &anna).await, [tablet.body]);
}

#[sqlx::test(migrations = false)]
async fn a_device_belongs_to_the_user_who_registered_it_last(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let hers = register(&platform, &anna, phone("shared")).await.body;
    let his = register(&platform, &bert, phone("shared")).await.body;
    assert_ne!(hers["id"], his["id"]);
    assert_eq!(list(&platform, &anna).await, [json!(null); 0]);
    assert_eq!(list(&platform, &bert).await, [his]);
    // The same text is another device at another push service.
    let apple = register(&platform, &anna, json!({ "provider": "APNS", "token": "ab" })).await;
    let google = register(&platform, &bert, phone("ab")).await;
    assert_eq!((apple.status.as_u16(), google.status.as_u16()), (201, 201));
    assert_eq!(list(&platform, &anna).await, [apple.body]);

    let racing = join_all([&anna, &bert, &anna, &bert].map(|user| register(&platform, user, phone("raced")))).await;
    assert!(racing.iter().all(|reply| reply.status == 201), "{racing:?}");
    let holders = [list(&platform, &anna).await.len(), list(&platform, &bert).await.len()];
    assert_eq!(holders.iter().sum::<usize>(), 4, "one of them has it: {holders:?}");
}

#[sqlx::test(migrations = false)]
async fn a_user_has_twenty_devices_at_most(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    for number in 0..22 {
        assert_eq!(register(&platform, &anna, phone(format!("phone-{number}"))).await.status, 201);
    }
    let tokens = async || {
        let rows = sqlx::raw_sql("select address from device order by registered_at").fetch_all(&platform.app.db).await;
        rows.unwrap().iter().map(|row| sqlx::Row::get::<String, _>(row, 0)).collect::<Vec<_>>()
    };
    let kept = tokens().await;
    assert_eq!((kept.len(), kept[0].as_str(), kept[19].as_str()), (20, "phone-2", "phone-21"));
    // Renewing one makes no room, and makes it the last to go.
    register(&platform, &anna, phone("phone-2")).await;
    let kept = tokens().await;
    assert_eq!((kept.len(), kept[0].as_str(), kept[19].as_str()), (20, "phone-3", "phone-2"));
    let many = (0..8).map(|_| register(&platform, &anna, phone(Uuid::now_v7().to_string())));
    assert!(join_all(many).await.iter().all(|reply| reply.status == 201));
    assert_eq!((tokens().await.len(), list(&platform, &anna).await.len()), (20, 20), "nor do many at once");
}

#[sqlx::test(migrations = false)]
async fn a_device_that_cannot_be_reached_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let with_keys = |p256dh: &str, auth: &str| json!({ "provider": "WEB_PUSH", "endpoint": "https://1.1.1.1/x", "keys": { "p256dh": p256dh, "auth": auth } });
    let off_the_curve = format!("{}AAAA", &P256DH[..P256DH.len() - 4]);
    let compressed = "AiVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx";
    for (device, place, kind) in [
        (json!({}), "provider", "value_error.missing"),
        (json!({ "provider": null }), "provider", "type_error.none.not_allowed"),
        (json!({ "provider": "PIGEON", "token": "x" }), "provider", "type_error.enum"),
        (
            json!({ "provider": "WEB_PUSH", "keys": { "p256dh": P256DH, "auth": AUTH } }),
            "endpoint",
            "value_error.missing",
        ),
        (browser("x"), "endpoint", "value_error.url"),
        (browser("http://1.1.1.1/x"), "endpoint", "value_error.url"),
        (browser("https://10.0.0.1/x"), "endpoint", "value_error.url"),
        (browser("https://localhost/x"), "endpoint", "value_error.url"),
        (browser("https://1.1.1.1:5432/x"), "endpoint", "value_error.url"),
        (browser(&format!("https://1.1.1.1/{}", "x".repeat(2_048))), "endpoint", "value_error.any_str.max_length"),
        (json!({ "provider": "WEB_PUSH", "endpoint": "https://1.1.1.1/x" }), "p256dh", "value_error.missing"),
        (
            json!({ "provider": "WEB_PUSH", "endpoint": "https://1.1.1.1/x", "keys": "x" }),
            "p256dh",
            "value_error.missing",
        ),
        (with_keys("", AUTH), "p256dh", "value_error.key"),
        (with_keys("!", AUTH), "p256dh", "value_error.key"),
        (with_keys(&off_the_curve, AUTH), "p256dh", "value_error.key"),
        (with_keys(compressed, AUTH), "p256dh", "value_error.key"),
        (with_keys(P256DH, "AAAA"), "auth", "value_error.key"),
        (phone(""), "token", "value_error.token"),
        (phone("a b"), "token", "value_error.token"),
        (phone("x".repeat(1_025)), "token", "value_error.any_str.max_length"),
        (phone(Value::Null), "token", "type_error.none.not_allowed"),
        (json!({ "provider": "APNS", "token": "../../3/device/ff" }), "token", "value_error.token"),
        (json!({ "provider": "APNS", "token": "ff", "topic": "a b" }), "topic", "value_error.topic"),
        (json!({ "provider": "APNS", "token": "ff", "environment": "LIVE" }), "environment", "type_error.enum"),
        (json!({ "provider": "FCM", "token": "x", "endpoint": "https://1.1.1.1/x" }), "endpoint", "value_error.extra"),
    ] {
        let refused = register(&platform, &anna, device.clone()).await;
        let detail = &refused.body["detail"][0];
        let last = detail["loc"].as_array().and_then(|loc| loc.last()).cloned().unwrap_or_default();
        assert_eq!((refused.status.as_u16(), last, &detail["type"]), (422, json!(place), &json!(kind)), "{device}");
    }
    assert_eq!(list(&platform, &anna).await, [json!(null); 0]);
    let mut padded = browser("https://[2606:4700:4700::1111]/x");
    padded["keys"] = json!({ "p256dh": format!("{P256DH}="), "auth": format!("{AUTH}==") });
    padded["expirationTime"] = Value::Null;
    assert_eq!(register(&platform, &anna, padded).await.status, 201, "as some libraries write keys");
    // A longer endpoint than the table holds: each of these characters becomes nine of the URL.
    let wide = browser(&format!("https://1.1.1.1/{}", "\u{20ac}".repeat(500)));
    let refused = register(&platform, &anna, wide).await;
    assert_eq!((refused.status.as_u16(), &refused.body["detail"][0]["type"]), (422, &json!("value_error.url")));
}

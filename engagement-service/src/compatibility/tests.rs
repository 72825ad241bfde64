//! Compatibility, through its route.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::SERVICE;
use crate::blocks::events::USER_BLOCKED;
use crate::core::testing::{Platform, new_user};
use crate::follows::events::USER_CONNECTED;
use crate::people::events::{USER_REGISTERED, USER_UPDATED};
use crate::posts::events::POST_CREATED;

async fn join(platform: &Platform, name: &str, interests: &[&str]) -> (String, Uuid) {
    let (token, id) = new_user();
    let person = json!({ "id": id, "username": name, "status": "ACTIVE", "interests": interests });
    platform.consume(USER_REGISTERED, &person).await;
    (token, id)
}

async fn compare(platform: &Platform, token: &str, other: Uuid) -> (u16, Value) {
    let reply = platform.call("GET", &format!("/me/compatibility/{other}"), Some(token), None).await;
    (reply.status.as_u16(), reply.body)
}

#[sqlx::test(migrations = false)]
async fn two_people_are_compared_by_kind_in_percent(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, her) = join(&platform, "anna", &["NEWS", "FOOD"]).await;
    let (_, him) = join(&platform, "bert", &["FOOD", "BOOKS", "NEWS"]).await;
    let (_, friend) = join(&platform, "carl", &[]).await;
    for (user, target) in [(her, friend), (her, him), (him, friend)] {
        let connection = json!({ "user_id": user, "target_id": target, "at": "2026-11-20T12:00:00Z" });
        platform.consume(USER_CONNECTED, &connection).await;
    }
    for (author, types, tags) in [(her, json!(["TRAVEL"]), json!(["sea"])), (him, json!(["TRAVEL", "FOOD"]), json!([]))]
    {
        let post = json!({ "id": Uuid::now_v7(), "created_at": "2026-11-20T12:00:00Z", "created_by": author, "content": "x",
            "updated_at": "2026-11-20T12:00:00Z", "types": types, "tags": tags, "status": "POSTED" });
        platform.consume(POST_CREATED, &post).await;
    }
    // Affinities are computed with recommendations.
    let mut tx = platform.app.db.begin().await.unwrap();
    crate::recommended_people::signals::refresh(&mut tx, &[her, him], true).await.unwrap();
    tx.commit().await.unwrap();
    let (status, seen) = compare(&platform, &anna, him).await;
    assert_eq!((status, &seen["user"]["username"]), (200, &json!("bert")));
    // Of FOOD, BOOKS and NEWS two are common. Each has half of their weight on TRAVEL, and the other half elsewhere.
    assert_eq!(seen["interests"], json!({ "percent": 67, "common": ["FOOD", "NEWS"] }));
    assert_eq!(seen["engagement"], json!({ "percent": 33, "common": ["TRAVEL"] }));
    assert_eq!((&seen["connections"]["percent"], &seen["connections"]["total"]), (&json!(50), &json!(1)));
    assert_eq!(seen["connections"]["people"][0]["username"], "carl");
    assert_eq!(seen["taste"], Value::Null);
    assert_eq!(
        seen["top_items"],
        json!({ "topics": ["FOOD", "TRAVEL"], "tracks": null, "artists": null, "genres": null })
    );

    assert_eq!(compare(&platform, &anna, her).await.0, 400);
    let (status, missing) = compare(&platform, &anna, Uuid::now_v7()).await;
    assert_eq!(status, 404);
    let carl = |status: &str, at: &str| json!({ "id": friend, "username": "carl", "status": status, "updated_at": at });
    platform.consume(USER_UPDATED, &carl("BANNED", "2100-01-01T12:00:00Z")).await;
    assert_eq!(compare(&platform, &anna, friend).await, (404, missing), "who is banned is as if they were not there");
    platform.consume(USER_UPDATED, &carl("ACTIVE", "2100-01-02T12:00:00Z")).await;
    assert_eq!(compare(&platform, &anna, friend).await.0, 200);
    let block = json!({ "user_id": him, "target_id": her, "at": "2026-11-20T12:00:00Z" });
    platform.consume(USER_BLOCKED, &block).await;
    assert_eq!(compare(&platform, &anna, him).await.0, 404);
    assert_eq!(platform.call("GET", "/me/compatibility/x", Some(&anna), None).await.status, 422);
}

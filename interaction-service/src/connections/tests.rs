//! The copy of connections, from a stub of the auth service and by events.
use std::collections::HashMap;

use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::events::{USER_CONNECTED, USER_DISCONNECTED};
use super::schedulers::ConnectionCopy;
use crate::SERVICE;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::Platform;

fn link(pair: (u128, u128), second: u8) -> Value {
    let (user, target) = (Uuid::from_u128(pair.0), Uuid::from_u128(pair.1));
    json!({ "user_id": user, "target_id": target, "at": format!("2026-11-20T12:00:0{second}+00:00") })
}

/// The list of an auth service with two pages.
async fn page(Query(query): Query<HashMap<String, String>>, headers: HeaderMap) -> Result<Json<Value>, StatusCode> {
    if headers[header::AUTHORIZATION] != "Bearer operator" {
        return Err(StatusCode::FORBIDDEN);
    }
    Ok(Json(match query.get("cursor").map(String::as_str) {
        None => json!({ "items": [link((1, 2), 1), link((1, 3), 1)], "next": "a.b" }),
        Some("a.b") => json!({ "items": [link((2, 1), 5)], "next": "c.d" }),
        Some("c.d") => json!({ "items": [], "next": null }),
        Some(_) => return Err(StatusCode::UNPROCESSABLE_ENTITY),
    }))
}

async fn connections(platform: &Platform) -> Vec<(u128, u128)> {
    let rows = sqlx::raw_sql("select user_id, target_id from connection where stands order by 1, 2");
    let rows = rows.fetch_all(&platform.app.db).await.unwrap();
    rows.iter().map(|row| (row.get::<Uuid, _>(0).as_u128(), row.get::<Uuid, _>(1).as_u128())).collect()
}

/// What was connected before the events is copied once, and whatever is newer by events holds.
#[sqlx::test(migrations = false)]
async fn connections_are_copied_once_and_kept_by_events(_: PgPoolOptions, database: PgConnectOptions) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let producers = format!("auth-service=http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/internal/read-model/connections", get(page));
    TaskTracker::new().spawn(async { axum::serve(listener, router).await });
    let platform = Platform::start(&SERVICE, database, &["--producers", &producers]).await;
    platform.consume(USER_DISCONNECTED, &link((1, 2), 3)).await;
    platform.consume(USER_CONNECTED, &link((4, 1), 2)).await;
    let mut copies = [ConnectionCopy(platform.app.clone()), ConnectionCopy(platform.app.clone())];
    for n in 0..3 {
        assert_eq!(copies[n % 2].step().await.unwrap(), Outcome::Busy, "page {n}, by whichever replica");
    }
    assert!(matches!(copies[1].step().await.unwrap(), Outcome::Idle(_)));
    assert_eq!(connections(&platform).await, [(1, 3), (2, 1), (4, 1)], "an end by event is newer than the list");
    platform.consume(USER_CONNECTED, &link((2, 1), 4)).await;
    platform.consume(USER_DISCONNECTED, &link((2, 1), 6)).await;
    platform.consume(USER_CONNECTED, &link((1, 2), 7)).await;
    assert_eq!(connections(&platform).await, [(1, 2), (1, 3), (4, 1)]);
    platform.erase(Uuid::from_u128(1)).await;
    assert_eq!(connections(&platform).await, []);
    platform.consume(USER_CONNECTED, &link((1, 2), 8)).await;
    assert_eq!(connections(&platform).await, [], "nothing comes back of who has left");
}

/// While the auth service is away, the copy waits and loses nothing.
#[sqlx::test(migrations = false)]
async fn the_copy_waits_for_the_auth_service(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--producers", "auth-service=http://127.0.0.1:1"]).await;
    let mut copy = ConnectionCopy(platform.app.clone());
    assert!(copy.step().await.is_err());
    let rows = sqlx::raw_sql("select cursor from connection_copy where done_at is null");
    assert_eq!(rows.fetch_one(&platform.app.db).await.unwrap().get::<String, _>(0), "", "it begins when it is back");
}

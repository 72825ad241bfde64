//! Cards of people, through their events.
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::events::{USER_REGISTERED, USER_UPDATED};
use crate::SERVICE;
use crate::core::testing::Platform;

#[sqlx::test(migrations = false)]
async fn the_newest_version_of_a_person_is_kept_in_every_order(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let [anna, gone] = [(); 2].map(|()| Uuid::now_v7());
    let version = |id: Uuid, username: Value, second: u8| {
        json!({ "id": id, "username": username, "first_name": "Anna", "last_name": null, "avatar_url": null,
            "interests": ["NEWS"], "status": "ACTIVE", "updated_at": format!("2026-11-20T12:00:0{second}+00:00") })
    };
    platform.consume(USER_UPDATED, &version(anna, json!("anna.b"), 5)).await;
    platform.consume(USER_UPDATED, &version(anna, json!("anna.a"), 3)).await;
    platform.consume(USER_REGISTERED, &version(anna, json!(null), 1)).await;
    platform.consume("user_deleted", &json!({ "id": gone, "deleted_at": "2026-11-20T12:00:00+00:00" })).await;
    platform.consume(USER_REGISTERED, &version(gone, json!("gone"), 1)).await;
    let rows = sqlx::raw_sql("select username, interests from person").fetch_all(&platform.app.db).await.unwrap();
    let rows: Vec<(String, Vec<String>)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(rows, [("anna.b".to_owned(), vec!["NEWS".to_owned()])], "and none of a person who left before");
}

//! Posts and their counts, through their events.
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::events::{POST_CREATED, POST_DELETED, POST_UPDATED, POST_VIEWED};
use crate::SERVICE;
use crate::core::testing::Platform;

fn version(id: Uuid, status: &str, second: u8) -> Value {
    json!({ "id": id, "created_at": "2026-11-20T12:00:01+00:00", "created_by": Uuid::nil(),
        "updated_at": format!("2026-11-20T12:00:0{second}+00:00"), "updated_by": null, "title": "T",
        "content": format!("version {second}"), "types": ["NEWS"], "status": status })
}

#[sqlx::test(migrations = false)]
async fn the_newest_version_and_the_first_publication_are_kept_in_every_order(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let post = Uuid::now_v7();
    let stored = async || {
        let row = sqlx::raw_sql("select content, published_at, feed_key, is_public(post_card) from post_card");
        let row = row.fetch_one(&platform.app.db).await.unwrap();
        let published: Option<DateTime<Utc>> = row.get(1);
        (row.get::<String, _>(0), published.map(|at| at.timestamp() % 60), row.get::<Option<Uuid>, _>(2), row.get(3))
    };
    platform.consume(POST_UPDATED, &version(post, "POSTED", 4)).await;
    assert_eq!(stored().await.1, Some(4));
    platform.consume(POST_UPDATED, &version(post, "POSTED", 3)).await;
    platform.consume(POST_CREATED, &version(post, "DRAFT", 1)).await;
    let (content, published, key, public) = stored().await;
    assert_eq!((content.as_str(), published, public), ("version 4", Some(3), true));
    let key = key.unwrap();
    assert_eq!(key.get_timestamp().unwrap().to_unix(), (1_795_176_003, 0), "2026-11-20T12:00:03Z");
    assert_eq!(key.as_bytes()[6..], post.as_bytes()[6..]);

    platform.consume(POST_UPDATED, &version(post, "ARCHIVED", 5)).await;
    platform.consume(POST_UPDATED, &version(post, "POSTED", 6)).await;
    let (_, published, _, public) = stored().await;
    assert_eq!((published, public), (Some(3), true), "publishing again does not lift it");

    let mut hidden = version(post, "POSTED", 7);
    hidden["hidden_at"] = hidden["updated_at"].clone();
    platform.consume(POST_DELETED, &hidden).await;
    assert!(!stored().await.3);
    platform.consume(POST_CREATED, &version(post, "POSTED", 8)).await;
    assert!(stored().await.3, "it was restored");
    platform.consume(POST_DELETED, &version(post, "POSTED", 8)).await;
    platform.consume(POST_UPDATED, &version(post, "POSTED", 9)).await;
    let (content, .., public) = stored().await;
    assert_eq!((content.as_str(), public), ("", false), "nothing brings a deleted post back");
}

#[sqlx::test(migrations = false)]
async fn views_are_counted_from_where_their_sum_was_taken_over(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let post = Uuid::now_v7();
    let views = async || {
        let row = sqlx::raw_sql("select views from post_count").fetch_one(&platform.app.db).await.unwrap();
        row.get::<i64, _>(0)
    };
    let view = json!({ "id": post, "viewed_by": Uuid::now_v7() });
    platform.consume(POST_VIEWED, &view).await;
    platform.consume(POST_VIEWED, &view).await;
    assert_eq!(views().await, 2);
    sqlx::raw_sql("update post_count set views = 40, views_ms = 9000000000000")
        .execute(&platform.app.db)
        .await
        .unwrap();
    platform.consume(POST_VIEWED, &view).await;
    assert_eq!(views().await, 40, "it is among the 40");
    sqlx::raw_sql("update post_count set views_ms = 1").execute(&platform.app.db).await.unwrap();
    platform.consume(POST_VIEWED, &view).await;
    assert_eq!(views().await, 41);
}

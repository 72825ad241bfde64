//! Posts, through their routes and their events.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::events::{COMMENT_CREATED, POST_CREATED, POST_VIEWED};
use crate::SERVICE;
use crate::core::testing::{Platform, somebody};

async fn start(database: PgConnectOptions) -> Platform {
    Platform::start(&SERVICE, database, &[]).await
}

async fn write(platform: &Platform, author: &str, post: Value) -> Value {
    let reply = platform.call("POST", "/posts", Some(author), Some(post)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.body
}

#[sqlx::test(migrations = false)]
async fn a_post_is_answered_as_the_original_does_and_told(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, id) = somebody();
    let post = write(&platform, &anna, json!({ "title": null, "content": "Grüße", "types": ["NEWS", "NEWS"] })).await;
    let names: Vec<_> = post.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "id",
            "created_at",
            "created_by",
            "updated_at",
            "updated_by",
            "title",
            "content",
            "types",
            "status",
            "total_views",
            "total_comments",
            "total_reactions",
            "score",
            "popularity"
        ]
    );
    assert_eq!(post["created_by"], json!(id));
    assert_eq!(post["status"], "DRAFT");
    assert_eq!(post["types"], json!(["NEWS", "NEWS"]));
    assert_eq!(post["score"].to_string(), "0.0");
    assert_eq!(platform.told(POST_CREATED).await, std::slice::from_ref(&post));
    let read = platform.call("GET", &format!("/posts/{}", post["id"].as_str().unwrap()), Some(&anna), None).await;
    assert_eq!(read.body, post);
}

#[sqlx::test(migrations = false)]
async fn views_and_comments_are_counted_once_and_rated(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, author) = somebody();
    let post = write(&platform, &anna, json!({ "content": "x", "types": [], "status": "POSTED" })).await;
    let key = format!(":apps.core.models.UserDetailInfo:{author}");
    let () = redis::AsyncCommands::hset(&mut platform.app.redis.clone(), key, "total_connections", "2").await.unwrap();
    for _ in 0..3 {
        platform.hear(POST_VIEWED, &post).await;
    }
    platform.hear(COMMENT_CREATED, &json!({ "id": author, "post_id": post["id"] })).await;
    let path = format!("/posts/{}", post["id"].as_str().unwrap());
    let rated = platform.call("GET", &path, Some(&anna), None).await.body;
    assert_eq!((&rated["total_views"], &rated["total_comments"]), (&json!(3), &json!(1)));
    assert_eq!((&rated["score"], &rated["popularity"]), (&json!(0.33), &json!(1.5)));
}

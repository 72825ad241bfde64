//! What other services copy, through its route.
use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::SERVICE;
use crate::core::testing::{Platform, new_user};
use crate::posts::events::{POST_DELETE_REQUESTED, POST_VIEWED};

async fn page(platform: &Platform, query: &str) -> Value {
    let request = Request::get(format!("/internal/read-model/posts?{query}"));
    let request = request.header(header::AUTHORIZATION, "Bearer operator").body(Body::empty()).unwrap();
    let reply = platform.send(request).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

fn ids(page: &Value) -> Vec<Value> {
    page["items"].as_array().unwrap().iter().map(|post| post["id"].clone()).collect()
}

async fn write(platform: &Platform, author: &str, content: &str, status: &str) -> Value {
    let body = json!({ "title": "T", "content": content, "types": ["NEWS"], "status": status });
    platform.call("POST", "/posts", Some(author), Some(body)).await.body
}

#[sqlx::test(migrations = false)]
async fn posts_are_read_whole_with_the_place_up_to_which_their_views_are_counted(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, author) = new_user();
    let mut posts = Vec::new();
    for status in ["POSTED", "DRAFT", "POSTED", "POSTED"] {
        posts.push(write(&platform, &anna, "x", status).await);
    }
    assert_eq!(page(&platform, "").await["watermarks"], json!({ POST_VIEWED: "0-0" }));
    platform.consume(POST_VIEWED, &json!({ "id": posts[0]["id"], "viewed_by": author })).await;
    platform.consume(POST_VIEWED, &json!({ "id": posts[0]["id"], "viewed_by": author, "repeated": true })).await;
    let last: redis::streams::StreamInfoStreamReply =
        redis::AsyncCommands::xinfo_stream(&mut platform.app.redis.clone(), POST_VIEWED).await.unwrap();
    let request = json!({ "content_id": posts[2]["id"], "raw_content": posts[2], "reason": "NUDITY" });
    platform.consume(POST_DELETE_REQUESTED, &request).await;
    platform.call("DELETE", &format!("/posts/{}", posts[3]["id"].as_str().unwrap()), Some(&anna), None).await;

    let first = page(&platform, "limit=2").await;
    assert_eq!(ids(&first), [posts[0]["id"].clone(), posts[1]["id"].clone()]);
    assert_eq!(first["watermarks"], json!({ POST_VIEWED: last.last_generated_id }));
    let expected = json!({ "id": posts[0]["id"], "created_at": posts[0]["created_at"], "created_by": author,
        "updated_at": posts[0]["updated_at"], "title": "T", "content": "x", "types": ["NEWS"], "status": "POSTED",
        "published_at": posts[0]["created_at"], "hidden_at": null, "total_views": 2, "repeated_views": 1, "media": [] });
    assert_eq!(first["items"][0], expected);
    let second = page(&platform, &format!("limit=2&cursor={}", first["next"].as_str().unwrap())).await;
    assert_eq!(ids(&second), [posts[2]["id"].clone()], "the hidden one, and not the deleted one");
    assert!(second["items"][0]["hidden_at"].is_string());
    let end = page(&platform, &format!("cursor={}", second["next"].as_str().unwrap())).await;
    assert_eq!((ids(&end), &end["next"]), (vec![], &Value::Null));
}

/// A thousand of the longest posts are 40 MB.
#[sqlx::test(migrations = false)]
async fn a_page_of_long_posts_has_fewer_of_them(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let long = "insert into post (id, created_by, content, types, status)
        select gen_random_uuid(), gen_random_uuid(), repeat('😀', 10000), '{}', 'POSTED' from generate_series(1, 120)";
    platform.app.db.execute(long).await.unwrap();
    let (mut cursor, mut sizes) = (String::new(), Vec::new());
    loop {
        let page = page(&platform, &cursor).await;
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("cursor={next}");
        sizes.push(ids(&page).len());
    }
    assert_eq!(sizes, [100, 20]);
}

#[sqlx::test(migrations = false)]
async fn what_leads_somewhere_is_copied_as_events_have_it(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let item = json!({ "kind": "LINK", "url": "https://page.example/", "title": "A page" });
    let body = json!({ "content": "#Rust @bert", "types": [], "status": "POSTED", "item": item });
    let post = platform.call("POST", "/posts", Some(&anna), Some(body)).await.body;
    let copied = &page(&platform, "").await["items"][0];
    for field in ["facets", "tags", "item"] {
        assert!(copied[field].is_array() || copied[field].is_object(), "{copied}");
        assert_eq!(copied[field], post[field], "{field}");
    }
}

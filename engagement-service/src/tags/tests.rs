//! Followed tags, through their routes.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::MAX_TAGS;
use crate::SERVICE;
use crate::core::testing::{Platform, new_user};
use crate::posts::events::{POST_CREATED, POST_DELETED, POST_UPDATED};

async fn ask(platform: &Platform, method: &str, path: &str, token: &str) -> (u16, Value) {
    let reply = platform.call(method, path, Some(token), None).await;
    (reply.status.as_u16(), reply.body)
}

/// The tags that a user follows, as they wrote them.
async fn followed(platform: &Platform, token: &str) -> Vec<String> {
    let (status, list) = ask(platform, "GET", "/me/tags", token).await;
    assert_eq!(status, 200, "{list}");
    list.as_array().unwrap().iter().map(|follow| follow["written"].as_str().unwrap().to_owned()).collect()
}

fn post(id: Uuid, second: u32, status: &str, tags: &[&str]) -> Value {
    json!({ "id": id, "created_at": "2026-11-20T12:00:00Z", "created_by": id, "title": null, "content": "x", "types": [],
        "updated_at": format!("2026-11-20T12:00:{second:02}Z"), "status": status, "tags": tags })
}

#[sqlx::test(migrations = false)]
async fn a_tag_is_followed_once_in_whatever_spelling(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, her), (bert, _)) = (new_user(), new_user());
    for tag in ["Rust", "RUST", "go", "stra%C3%9Fe"] {
        assert_eq!(ask(&platform, "PUT", &format!("/me/tags/{tag}"), &anna).await.0, 204, "{tag}");
    }
    assert_eq!(followed(&platform, &anna).await, ["straße", "go", "Rust"], "the latest first");
    assert_eq!(followed(&platform, &bert).await, [""; 0], "each has their own");
    let page = platform.call("GET", "/me/tags?limit=2", Some(&anna), None).await;
    let link = page.headers["link"].to_str().unwrap();
    let next = link.strip_prefix("</api/v1").unwrap().split_once('>').unwrap().0;
    assert_eq!(ask(&platform, "GET", next, &anna).await.1[0]["tag"], "rust");
    assert_eq!(ask(&platform, "DELETE", "/me/tags/STRASSE", &anna).await.0, 204);
    assert_eq!(ask(&platform, "DELETE", "/me/tags/STRASSE", &anna).await.0, 204, "twice is once");
    assert_eq!(followed(&platform, &anna).await, ["go", "Rust"]);

    let exported = platform.personal_data_of(her, "followed_tags").await;
    assert_eq!(exported.iter().map(|follow| &follow["tag"]).collect::<Vec<_>>(), ["go", "rust"]);
    platform.consume("user_deleted", &json!({ "id": her, "deleted_at": "2026-11-20T12:00:00Z" })).await;
    platform.erase(her).await;
    assert_eq!(platform.personal_data_of(her, "followed_tags").await, [json!(null); 0]);
}

#[sqlx::test(migrations = false)]
async fn a_tag_has_so_many_posts_and_followers(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
    let seen = async |token: &str| ask(&platform, "GET", "/tags/Rust", token).await.1;
    platform.consume(POST_CREATED, &post(one, 1, "POSTED", &["rust", "go"])).await;
    platform.consume(POST_CREATED, &post(other, 1, "DRAFT", &["rust"])).await;
    ask(&platform, "PUT", "/me/tags/rust", &anna).await;
    assert_eq!(seen(&anna).await, json!({ "tag": "rust", "posts": 1, "followers": 1, "followed": true }));
    assert_eq!(seen(&bert).await, json!({ "tag": "rust", "posts": 1, "followers": 1, "followed": false }));
    platform.consume(POST_UPDATED, &post(other, 2, "POSTED", &["rust"])).await;
    assert_eq!(seen(&bert).await["posts"], 2, "a draft counts when it is published");
    platform.consume(POST_UPDATED, &post(one, 2, "POSTED", &["go"])).await;
    assert_eq!(seen(&bert).await["posts"], 1, "an edit takes it away");
    platform.consume(POST_DELETED, &post(other, 3, "POSTED", &["rust"])).await;
    assert_eq!(seen(&bert).await["posts"], 0);
}

#[sqlx::test(migrations = false)]
async fn what_is_no_tag_and_one_too_many_are_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--rate-limits", "off"]).await;
    let (anna, _) = new_user();
    let detail = json!([{ "loc": ["path", "tag"], "msg": "value is not a valid tag", "type": "value_error.tag" }]);
    for (method, path) in
        [("PUT", "/me/tags/1"), ("DELETE", "/me/tags/a-b"), ("GET", "/tags/%23rust"), ("PUT", "/me/tags/%00")]
    {
        let (status, body) = ask(&platform, method, path, &anna).await;
        assert_eq!((status, &body["detail"]), (422, &detail), "{method} {path}");
    }
    for n in 0..MAX_TAGS {
        assert_eq!(ask(&platform, "PUT", &format!("/me/tags/tag{n}"), &anna).await.0, 204);
    }
    let (status, body) = ask(&platform, "PUT", "/me/tags/more", &anna).await;
    assert_eq!((status, &body["detail"]), (409, &json!("At most 100 tags can be followed")));
    assert_eq!(ask(&platform, "PUT", "/me/tags/TAG7", &anna).await.0, 204, "one of those is no more");
    ask(&platform, "DELETE", "/me/tags/tag7", &anna).await;
    assert_eq!(ask(&platform, "PUT", "/me/tags/more", &anna).await.0, 204);
    let both = tokio::join!(ask(&platform, "PUT", "/me/tags/x", &anna), ask(&platform, "PUT", "/me/tags/y", &anna));
    assert_eq!((both.0.0, both.1.0), (409, 409));
}

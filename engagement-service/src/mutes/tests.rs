//! Mutes and hidden posts, through their routes.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::SERVICE;
use crate::blocks::events::USER_BLOCKED;
use crate::core::testing::{Platform, Reply, new_user};
use crate::people::events::USER_REGISTERED;
use crate::posts::events::{POST_CREATED, POST_DELETED};

async fn join(platform: &Platform, name: &str) -> (String, Uuid) {
    let (token, id) = new_user();
    platform.consume(USER_REGISTERED, &json!({ "id": id, "username": name, "status": "ACTIVE" })).await;
    (token, id)
}

fn refusal(reply: &Reply) -> (u16, Value) {
    (reply.status.as_u16(), reply.body["detail"].clone())
}

#[sqlx::test(migrations = false)]
async fn a_mute_lasts_until_it_is_ended_and_only_its_owner_knows(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let [(anna, her), (bert, him), (_, other)] =
        [join(&platform, "anna").await, join(&platform, "bert").await, join(&platform, "carl").await];
    for target in [him, other, him] {
        let reply = platform.call("POST", &format!("/me/mutes/{target}"), Some(&anna), None).await;
        assert_eq!((reply.status.as_u16(), reply.body), (204, Value::Null));
    }
    let first = platform.call("GET", "/me/mutes?limit=1", Some(&anna), None).await;
    let card = json!({ "id": other, "username": "carl", "first_name": null, "last_name": null, "avatar_url": null });
    assert_eq!((first.body.as_array().unwrap().len(), &first.body[0]["user"]), (1, &card));
    let link = first.headers[axum::http::header::LINK].to_str().unwrap();
    let next = link.strip_prefix("</api/v1").unwrap().strip_suffix(">; rel=\"next\"").unwrap();
    let second = platform.call("GET", next, Some(&anna), None).await;
    assert_eq!(second.body[0]["user"]["id"], json!(him));
    assert_eq!(platform.call("GET", "/me/mutes", Some(&bert), None).await.body, json!([]));
    for _ in 0..2 {
        assert_eq!(platform.call("DELETE", &format!("/me/mutes/{other}"), Some(&anna), None).await.status, 204);
    }
    let left = platform.call("GET", "/me/mutes", Some(&anna), None).await;
    assert_eq!((left.body.as_array().unwrap().len(), &left.body[0]["user"]["id"]), (1, &json!(him)));

    let own = platform.call("POST", &format!("/me/mutes/{her}"), Some(&anna), None).await;
    assert_eq!(refusal(&own), (400, json!("Can not self mute")));
    let none = platform.call("POST", &format!("/me/mutes/{}", Uuid::now_v7()), Some(&anna), None).await;
    assert_eq!(refusal(&none), (404, json!("Target user not found")));
    let block = json!({ "user_id": other, "target_id": her, "at": "2026-11-20T12:00:00Z" });
    platform.consume(USER_BLOCKED, &block).await;
    let shut_out = platform.call("POST", &format!("/me/mutes/{other}"), Some(&anna), None).await;
    assert_eq!(refusal(&shut_out), (404, json!("Target user not found")));
    assert_eq!(platform.call("POST", "/me/mutes/x", Some(&anna), None).await.status, 422);
}

#[sqlx::test(migrations = false)]
async fn what_can_be_seen_can_be_hidden(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let [(anna, her), (_, him)] = [join(&platform, "anna").await, join(&platform, "bert").await];
    let version = |id: Uuid, status: &str| {
        json!({ "id": id, "created_at": "2026-11-20T12:00:00Z", "created_by": him, "updated_at": "2026-11-20T12:00:00Z",
            "title": null, "content": "x", "types": ["NEWS"], "status": status })
    };
    let [post, draft, gone] = [(); 3].map(|()| Uuid::now_v7());
    platform.consume(POST_CREATED, &version(post, "POSTED")).await;
    platform.consume(POST_CREATED, &version(draft, "DRAFT")).await;
    platform.consume(POST_DELETED, &version(gone, "POSTED")).await;
    for (id, status) in [(post, 204), (post, 204), (draft, 404), (gone, 404), (Uuid::now_v7(), 404)] {
        let reply = platform.call("POST", &format!("/posts/{id}/hide"), Some(&anna), None).await;
        assert_eq!(reply.status, status);
        assert!(status == 204 || reply.body["detail"] == "Post not found");
    }
    let held = platform.personal_data_of(her, "hidden_posts").await;
    assert_eq!((held.len(), &held[0]["post_id"]), (1, &json!(post)));
    for _ in 0..2 {
        assert_eq!(platform.call("DELETE", &format!("/posts/{post}/hide"), Some(&anna), None).await.status, 204);
    }
    assert!(platform.personal_data_of(her, "hidden_posts").await.is_empty());
    let block = json!({ "user_id": him, "target_id": her, "at": "2026-11-20T12:00:00Z" });
    platform.consume(USER_BLOCKED, &block).await;
    assert_eq!(platform.call("POST", &format!("/posts/{post}/hide"), Some(&anna), None).await.status, 404);
}

#[sqlx::test(migrations = false)]
async fn mutes_and_hidden_posts_are_exported_and_erased(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let [(anna, her), (bert, him)] = [join(&platform, "anna").await, join(&platform, "bert").await];
    let post = Uuid::now_v7();
    let version = json!({ "id": post, "created_at": "2026-11-20T12:00:00Z", "created_by": him,
        "updated_at": "2026-11-20T12:00:00Z", "content": "x", "types": ["NEWS"], "status": "POSTED" });
    platform.consume(POST_CREATED, &version).await;
    for (token, path) in [(&anna, format!("/me/mutes/{him}")), (&bert, format!("/me/mutes/{her}"))] {
        assert_eq!(platform.call("POST", &path, Some(token), None).await.status, 204);
    }
    platform.call("POST", &format!("/posts/{post}/hide"), Some(&anna), None).await;
    let held = platform.personal_data_of(her, "mutes").await;
    assert_eq!((held.len(), &held[0]["target_id"]), (1, &json!(him)));
    platform.consume("user_deleted", &json!({ "id": her, "deleted_at": "2026-11-20T12:00:00Z" })).await;
    platform.erase(her).await;
    for (person, kind) in [(her, "mutes"), (her, "hidden_posts"), (him, "mutes")] {
        assert!(platform.personal_data_of(person, kind).await.is_empty(), "{kind}");
    }
    let waiting = sqlx::raw_sql(sqlx::AssertSqlSafe(format!("select from feed_drop where user_id = '{her}'")));
    assert_eq!(waiting.fetch_all(&platform.app.db).await.unwrap().len(), 1, "her feed in Redis is dropped, too");
}

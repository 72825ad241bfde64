//! Drafts and their publication, through the routes and the worker.

use chrono::{Duration, Utc};
use clap::FromArgMatches;
use redis::AsyncCommands;
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::schedulers::DraftPublisher;
use crate::SERVICE;
use crate::core::contract::timestamp::Timestamp;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, new_user};
use crate::posts::checks::PublicationCheck;
use crate::posts::events::POST_UPDATED;
use crate::pre_publish::{self, PrePublishSettings};
use crate::search::tests::index;

/// The worker of a replica with these settings.
fn publisher(platform: &Platform) -> DraftPublisher {
    let settings = PrePublishSettings::from_arg_matches(&platform.settings()).unwrap();
    let check = PublicationCheck::new(&settings, &platform.app.settings).unwrap();
    DraftPublisher { app: platform.app.clone(), check }
}

fn ahead(seconds: i64) -> Value {
    json!(Timestamp(Utc::now() + Duration::seconds(seconds)))
}

async fn draft(platform: &Platform, author: &str, content: &str, publish_at: Value) -> Value {
    let body = json!({ "content": content, "types": ["NEWS"], "publish_at": publish_at });
    let reply = platform.call("POST", "/posts", Some(author), Some(body)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.body
}

/// Lets the time come for all drafts.
async fn pass(platform: &Platform) {
    let due = "update post set publish_at = now() - interval '1 millisecond' where publish_at is not null";
    platform.app.db.execute(due).await.unwrap();
}

async fn read(platform: &Platform, reader: &str, post: &Value) -> Value {
    platform.call("GET", &format!("/posts/{}", post["id"].as_str().unwrap()), Some(reader), None).await.body
}

async fn put(platform: &Platform, author: &str, post: &Value, body: Value) -> (u16, Value) {
    let path = format!("/posts/{}", post["id"].as_str().unwrap());
    let reply = platform.call("PUT", &path, Some(author), Some(body)).await;
    (reply.status.as_u16(), reply.body)
}

/// A draft is published when it is due, once, however many replicas there are, as if its author had done it.
#[sqlx::test(migrations = false)]
async fn a_draft_is_published_when_it_is_due_and_once(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, _), (ben, _)) = (new_user(), new_user());
    let post = draft(&platform, &anna, "later", ahead(3)).await;
    assert_eq!(post["status"], "DRAFT");
    let Outcome::Idle(pause) = publisher(&platform).step().await.unwrap() else { panic!("nothing is due") };
    assert!(pause <= std::time::Duration::from_millis(500), "{pause:?}");
    assert_eq!(read(&platform, &ben, &post).await["status"], 404, "a draft that is not due is its author's");

    pass(&platform).await;
    let other = platform.beside(&[]);
    let (mut here, mut there) = (publisher(&platform), publisher(&other));
    let (first, second) = tokio::join!(here.step(), there.step());
    assert!(first.is_ok() && second.is_ok());
    let published = read(&platform, &ben, &post).await;
    assert_eq!((&published["status"], published.get("publish_at")), (&json!("POSTED"), None));
    assert_eq!((&published["published_at"], published.get("edited_at")), (&published["updated_at"], None));
    assert_eq!(platform.published(POST_UPDATED).await, [published], "once");
    index(&platform).await;
    let found = platform.call("GET", "/posts/search?q=later", Some(&ben), None).await.body;
    assert_eq!(found[0]["id"], post["id"]);
}

/// The time of a draft is changed, taken off and made void by `PUT`.
#[sqlx::test(migrations = false)]
async fn an_author_moves_and_cancels_a_publication(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let post = draft(&platform, &anna, "later", ahead(60)).await;
    let body = |content: &str| json!({ "content": content, "types": [] });
    let with = |content: &str, name: &str, value: Value| {
        let mut body = body(content);
        body[name] = value;
        body
    };
    let (_, kept) = put(&platform, &anna, &post, body("edited")).await;
    assert_eq!(kept["publish_at"], post["publish_at"], "an edit leaves the time");
    let moved = ahead(120);
    let (_, changed) = put(&platform, &anna, &post, with("edited", "publish_at", moved.clone())).await;
    assert_eq!(changed["publish_at"], moved);
    let (_, cancelled) = put(&platform, &anna, &post, with("edited", "publish_at", Value::Null)).await;
    assert_eq!((cancelled.get("publish_at"), &cancelled["status"]), (None, &json!("DRAFT")));
    put(&platform, &anna, &post, with("edited", "publish_at", ahead(60))).await;
    let (_, archived) = put(&platform, &anna, &post, with("edited", "status", json!("ARCHIVED"))).await;
    assert_eq!(archived.get("publish_at"), None);

    let conflict = (409, json!("Only a draft can be published later"));
    let (status, refusal) = put(&platform, &anna, &post, with("x", "publish_at", ahead(60))).await;
    assert_eq!((status, refusal["detail"].clone()), conflict);
    let body = json!({ "content": "x", "types": [], "status": "POSTED", "publish_at": ahead(60) });
    let reply = platform.call("POST", "/posts", Some(&anna), Some(body)).await;
    assert_eq!((reply.status.as_u16(), reply.body["detail"].clone()), conflict);
    for wrong in [ahead(-1), ahead(367 * 86_400), json!("tomorrow"), json!(5), json!({}), json!("2036-01-01")] {
        let body = json!({ "content": "x", "types": [], "publish_at": wrong });
        let reply = platform.call("POST", "/posts", Some(&anna), Some(body)).await;
        assert_eq!((reply.status.as_u16(), &reply.body["detail"][0]["loc"]), (422, &json!(["body", "publish_at"])));
    }
    assert_eq!(platform.call("GET", "/me/drafts", Some(&anna), None).await.body, json!([]), "nothing was left");
}

/// What a draft says is public from when it is published, also of one that has been published before: what its author replaces right after
/// that is in no history of others.
#[sqlx::test(migrations = false)]
async fn a_draft_is_public_from_when_it_is_published_again(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, _), (ben, _)) = (new_user(), new_user());
    let body = json!({ "content": "one", "types": [], "status": "POSTED" });
    let post = platform.call("POST", "/posts", Some(&anna), Some(body)).await.body;
    platform.app.db.execute("update post set published_at = published_at - interval '1 hour'").await.unwrap();
    let later = json!({ "content": "hateful", "types": [], "status": "DRAFT", "publish_at": ahead(60) });
    assert_eq!(put(&platform, &anna, &post, later).await.0, 200);
    platform.app.db.execute("update post set worded_at = worded_at - interval '1 hour'").await.unwrap();
    pass(&platform).await;
    assert_eq!(publisher(&platform).step().await.unwrap(), Outcome::Busy);
    assert_eq!(read(&platform, &ben, &post).await["content"], "hateful");
    assert_eq!(put(&platform, &anna, &post, json!({ "content": "kind", "types": [] })).await.0, 200);
    let path = format!("/posts/{}/history", post["id"].as_str().unwrap());
    let versions = platform.call("GET", &path, Some(&ben), None).await.body;
    assert_eq!((&versions[0]["content"], versions.as_array().unwrap().len()), (&json!("one"), 1));
}

/// What moderation would hide, and what a muted or banned author left behind, stays a draft and says why.
#[sqlx::test(migrations = false)]
async fn what_cannot_be_published_stays_a_draft_and_says_why(_: PgPoolOptions, database: PgConnectOptions) {
    let (url, asked) = pre_publish::stub::start().await;
    let settings = ["--pre-publish", "on", "--moderation-url", &url, "--pre-publish-failure", "closed"];
    let platform = Platform::start(&SERVICE, database, &settings).await;
    let authors: Vec<(String, Uuid)> = ["ACTIVE", "MUTED", "BANNED"].map(|_| new_user()).into();
    let mut posts = Vec::new();
    for ((author, id), status) in authors.iter().zip(["ACTIVE", "MUTED", "BANNED"]) {
        posts.push(draft(&platform, author, "good", ahead(60)).await);
        let key = format!(":apps.core.models.UserDetailInfo:{id}");
        let () = platform.app.redis.clone().hset(key, "status", status).await.unwrap();
    }
    let (anna, _) = &authors[0];
    let body = json!({ "content": "a bad one", "types": [], "publish_at": ahead(60) });
    let early = platform.call("POST", "/posts", Some(anna), Some(body)).await;
    assert_eq!(early.status, 422, "its author is told as long as they are there");
    let bad = draft(&platform, anna, "good so far", ahead(60)).await;
    platform.app.db.execute("update post set content = 'bad by now' where content = 'good so far'").await.unwrap();
    asked.lock().unwrap().clear();

    pass(&platform).await;
    // Moderation is away: nothing is decided, and nothing is lost.
    let gone = platform.beside(&["--moderation-url", "http://127.0.0.1:1"]);
    assert!(publisher(&gone).step().await.is_err());
    assert_eq!(read(&platform, anna, &posts[0]).await["status"], "DRAFT");
    assert_eq!(publisher(&platform).step().await.unwrap(), Outcome::Busy);
    assert_eq!(read(&platform, anna, &posts[0]).await["status"], "POSTED");
    for (author, post, why) in
        [(&authors[1].0, &posts[1], "AUTHOR"), (&authors[2].0, &posts[2], "AUTHOR"), (anna, &bad, "CONTENT")]
    {
        let read = read(&platform, author, post).await;
        let seen = (&read["status"], read.get("publish_at"), &read["publish_refused"]);
        assert_eq!(seen, (&json!("DRAFT"), None, &json!(why)));
    }
    let mut texts = asked.lock().unwrap().clone();
    texts.sort();
    assert_eq!(texts, ["bad by now", "good"], "of a banned author nothing is asked");
    let (_, again) = put(&platform, anna, &bad, json!({ "content": "good", "types": [] })).await;
    assert_eq!(again.get("publish_refused"), None, "until the author changes it");
}

/// Drafts are listed apart, the last first, and only to their author.
#[sqlx::test(migrations = false)]
async fn drafts_are_listed_to_their_author(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, _), (ben, _)) = (new_user(), new_user());
    let first = draft(&platform, &anna, &"x".repeat(600), Value::Null).await;
    let second = draft(&platform, &anna, "second", ahead(60)).await;
    let body = json!({ "content": "public", "types": [], "status": "POSTED" });
    platform.call("POST", "/posts", Some(&anna), Some(body)).await;
    let list = platform.call("GET", "/me/drafts", Some(&anna), None).await.body;
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!((&list[0], &list[1]["id"], &list[1]["truncated"]), (&second, &first["id"], &json!(true)));
    assert_eq!(platform.call("GET", "/me/drafts", Some(&ben), None).await.body, json!([]));
    let page = platform.call("GET", "/me/drafts?limit=1", Some(&anna), None).await;
    assert!(page.headers.contains_key("link"));
}

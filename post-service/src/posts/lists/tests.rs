//! Filtered lists of posts, posts by their ids, and counts, through their routes.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::header;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, Row};
use tracing_subscriber::layer::{Context, SubscriberExt};
use uuid::Uuid;

use crate::blocks::events::USER_BLOCKED;
use crate::core::testing::{Platform, Reply, new_user};
use crate::media::tests::{picture, ready};
use crate::posts::events::POST_DELETE_REQUESTED;
use crate::posts::tests::{delete_request, path, start};
use crate::search::tests::index;

async fn write(platform: &Platform, author: &str, content: &str, types: &[&str], status: &str) {
    let body = json!({ "content": content, "types": types, "status": status });
    assert_eq!(platform.call("POST", "/posts", Some(author), Some(body)).await.status, 201);
}

async fn list(platform: &Platform, reader: &str, query: &str) -> Vec<String> {
    let reply = platform.call("GET", &format!("/posts?{query}"), Some(reader), None).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let content = |post: &Value| post["content"].as_str().unwrap().to_owned();
    reply.body.as_array().unwrap().iter().map(content).collect()
}

/// Posts with pictures and posts without are listed apart and found apart, by what their readers see of them.
#[sqlx::test(migrations = false)]
async fn posts_with_pictures_are_listed_and_found_apart(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (ben, _)) = (new_user(), new_user());
    let mut pictures = Vec::new();
    for width in 3..=5 {
        pictures.push(ready(&platform, &anna, "POST", &picture(width, 3)).await);
    }
    let write = async |content: &str, status: &str, media: &[&str]| {
        let body = json!({ "content": content, "types": [], "status": status, "media": media });
        let reply = platform.call("POST", "/posts", Some(&anna), Some(body)).await;
        assert_eq!(reply.status, 201, "{reply:?}");
    };
    write("needle plain", "POSTED", &[]).await;
    write("needle shown", "POSTED", &[&pictures[0], &pictures[1]]).await;
    write("needle hidden", "POSTED", &[&pictures[2]]).await;
    write("needle draft", "DRAFT", &[&pictures[0]]).await;
    let hides = json!({ "subject_type": "MEDIA", "subject_id": pictures[2], "version": 1, "visibility": "HIDDEN" });
    platform.consume("moderation_decided", &hides).await;
    index(&platform).await;
    let found = async |query: &str| {
        let reply = platform.call("GET", &format!("/posts/search?q=needle{query}"), Some(&ben), None).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let hits = reply.body.as_array().unwrap().clone();
        let contents = hits.iter().map(|hit| hit["content"].as_str().unwrap().to_owned());
        contents.collect::<Vec<_>>()
    };
    let (with, without) = (["needle shown"], ["needle hidden", "needle plain"]);
    assert_eq!(list(&platform, &ben, "has_media=true").await, with);
    assert_eq!(list(&platform, &ben, &format!("has_media=false&author={her}")).await, without);
    assert_eq!(list(&platform, &anna, "has_media=1").await, ["needle draft", "needle shown"], "her drafts, too");
    for order in ["", "&order=time"] {
        assert_eq!(found(&format!("&has_media=TRUE{order}")).await, with);
        assert_eq!(found(&format!("&has_media=0{order}")).await, without);
        assert_eq!(found(order).await.len(), 3);
    }
    let reply = platform.call("GET", "/posts/search?q=needle&has_media=", Some(&ben), None).await;
    assert_eq!((reply.status.as_u16(), &reply.body["detail"][0]["type"]), (422, &json!("type_error.bool")));
}

/// A category has pages of its own, in the order of all posts, and follows what becomes of them.
#[sqlx::test(migrations = false)]
async fn a_category_is_paged_and_kept(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, _), (ben, _)) = (new_user(), new_user());
    for (content, types) in
        [("a", &["PROTEST"][..]), ("b", &["NEWS"]), ("c", &["NEWS", "PROTEST", "PROTEST"]), ("d", &["PROTEST"])]
    {
        write(&platform, &anna, content, types, "POSTED").await;
    }
    let first = platform.call("GET", "/posts?category=PROTEST&limit=2", Some(&ben), None).await;
    let contents: Vec<_> = first.body.as_array().unwrap().iter().map(|post| post["content"].clone()).collect();
    assert_eq!(contents, ["d", "c"]);
    let link = first.headers["link"].to_str().unwrap();
    let next = link.strip_prefix("</api/v1").unwrap().split_once('>').unwrap().0;
    let second = platform.call("GET", next, Some(&ben), None).await;
    assert_eq!((second.body.as_array().unwrap().len(), &second.body[0]["content"]), (1, &json!("a")));

    let path = format!("/posts/{}", first.body[0]["id"].as_str().unwrap());
    let change = async |types: &[&str], status: &str| {
        let body = json!({ "content": "d", "types": types, "status": status });
        assert_eq!(platform.call("PUT", &path, Some(&anna), Some(body)).await.status, 200);
        (list(&platform, &ben, "category=PROTEST").await.len(), list(&platform, &ben, "category=NEWS").await.len())
    };
    assert_eq!(change(&["NEWS"], "POSTED").await, (2, 3));
    assert_eq!(change(&["NEWS", "PROTEST"], "ARCHIVED").await, (2, 2));
    assert_eq!(change(&["NEWS", "PROTEST"], "POSTED").await, (3, 3));
    assert_eq!(platform.call("DELETE", &path, Some(&anna), None).await.status, 204);
    assert_eq!(list(&platform, &ben, "category=PROTEST").await, ["c", "a"]);
    let rows = platform.app.db.fetch_all("select from post_listing").await.unwrap();
    assert_eq!(rows.len(), 4, "a row per post and category, and none of what is deleted");
}

/// A list is narrowed by author, category and tag, and shows what the whole list shows.
#[sqlx::test(migrations = false)]
async fn a_list_is_narrowed_by_filters_and_counted(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (ben, his)) = (new_user(), new_user());
    write(&platform, &anna, "a #Café", &["NEWS"], "POSTED").await;
    write(&platform, &anna, "b", &["SPORTS", "NEWS"], "POSTED").await;
    write(&platform, &anna, "draft", &["NEWS"], "DRAFT").await;
    write(&platform, &ben, "c #cafe", &["NEWS"], "POSTED").await;
    assert_eq!(list(&platform, &ben, &format!("author={her}")).await, ["b", "a #Café"]);
    assert_eq!(list(&platform, &anna, &format!("author={her}")).await, ["draft", "b", "a #Café"]);
    assert_eq!(list(&platform, &anna, &format!("author={his}")).await, ["c #cafe"], "not the drafts of the reader");
    assert_eq!(list(&platform, &ben, "category=NEWS&limit=2").await, ["c #cafe", "b"]);
    assert_eq!(list(&platform, &ben, "category=SPORTS").await, ["b"]);
    assert_eq!(list(&platform, &ben, "tag=%23CAF%C3%89").await, ["a #Café"]);
    assert_eq!(list(&platform, &ben, "tag=%23Cafe").await, ["c #cafe"], "diacritics make two tags");
    assert_eq!(list(&platform, &ben, &format!("tag=caf%C3%A9&author={her}&category=NEWS")).await, ["a #Café"]);
    for (query, kind) in
        [("author=me", "type_error.uuid"), ("category=news", "type_error.enum"), ("has_media=maybe", "type_error.bool")]
    {
        let reply = platform.call("GET", &format!("/posts?{query}"), Some(&ben), None).await;
        assert_eq!((reply.status.as_u16(), &reply.body["detail"][0]["type"]), (422, &json!(kind)));
    }

    let count =
        async |reader: &str| platform.call("GET", &format!("/users/{her}/posts/count"), Some(reader), None).await.body;
    assert_eq!((count(&ben).await, count(&anna).await), (json!({ "count": 2 }), json!({ "count": 2 })));
    let block = json!({ "user_id": her, "target_id": his, "at": "2026-11-20T12:00:00+00:00" });
    platform.consume(USER_BLOCKED, &block).await;
    assert_eq!(
        (count(&ben).await, list(&platform, &ben, "tag=cafe").await),
        (json!({ "count": 0 }), vec!["c #cafe".to_owned()])
    );
}

async fn look_up(platform: &Platform, reader: &str, body: Value) -> Reply {
    platform.call("POST", "/posts/lookup", Some(reader), Some(body)).await
}

/// Posts are read by their ids at once: each once, as its reader reads it alone, and only those that the reader may see.
#[sqlx::test(migrations = false)]
async fn posts_are_looked_up_in_the_order_asked_for(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, _), (ben, his), (carla, her)) = (new_user(), new_user(), new_user());
    let shown = ready(&platform, &anna, "POST", &picture(4, 3)).await;
    let write = async |author: &str, status: &str, more: Value| {
        let mut body = json!({ "content": "see #rust", "types": ["NEWS"], "status": status });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let reply = platform.call("POST", "/posts", Some(author), Some(body)).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.body
    };
    let link = json!({ "kind": "LINK", "url": "https://a.example/", "title": "T" });
    let with_item = write(&anna, "POSTED", json!({ "item": link })).await;
    let with_picture = write(&anna, "POSTED", json!({ "media": [shown] })).await;
    let own_draft = write(&ben, "DRAFT", json!({})).await;
    let draft = write(&anna, "DRAFT", json!({})).await;
    let archived = write(&anna, "ARCHIVED", json!({})).await;
    let hidden = write(&anna, "POSTED", json!({})).await;
    platform.consume(POST_DELETE_REQUESTED, &delete_request(&hidden)).await;
    let own_hidden = write(&ben, "POSTED", json!({})).await;
    platform.consume(POST_DELETE_REQUESTED, &delete_request(&own_hidden)).await;
    let of_blocker = write(&carla, "POSTED", json!({})).await;
    let block = json!({ "user_id": her, "target_id": his, "at": "2026-11-20T12:00:00+00:00" });
    platform.consume(USER_BLOCKED, &block).await;

    let mut expected = Vec::new();
    for post in [&with_picture, &own_draft, &with_item] {
        let read = platform.call("GET", &path(post), Some(&ben), None).await;
        assert_eq!(read.status, 200, "{read:?}");
        expected.push(read.body);
    }
    assert!(expected[0]["media"][0]["medium"].is_string() && expected[2]["item"]["id"].is_string(), "{expected:?}");
    assert_eq!((&expected[1]["status"], &expected[1]["tags"]), (&json!("DRAFT"), &json!(["rust"])));
    let asked =
        [&with_picture, &hidden, &own_draft, &draft, &own_hidden, &archived, &with_item, &of_blocker, &with_picture];
    let mut ids = Vec::from(asked.map(|post| post["id"].clone()));
    ids.insert(1, json!(Uuid::now_v7()));
    let found = look_up(&platform, &ben, json!({ "ids": ids })).await;
    assert_eq!((found.status.as_u16(), &found.body), (200, &json!(expected)));
    assert!(!found.headers.contains_key(header::ETAG));
    let muted = look_up(&platform, &format!("{ben}:MUTED"), json!({ "ids": ids })).await;
    assert_eq!((muted.status.as_u16(), &muted.body), (200, &found.body), "a muted user reads");
    let unknown = look_up(&platform, &ben, json!({ "ids": [Uuid::now_v7()] })).await;
    assert_eq!((unknown.status.as_u16(), &unknown.body), (200, &json!([])));
}

#[sqlx::test(migrations = false)]
async fn what_is_looked_up_is_one_to_a_hundred_ids_and_nothing_else(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, id) = new_user();
    for (body, kind) in [
        (json!({}), "value_error.missing"),
        (json!({ "ids": null }), "type_error.none.not_allowed"),
        (json!({ "ids": id }), "type_error.list"),
        (json!({ "ids": [] }), "value_error.list.min_items"),
        (json!({ "ids": vec![id; 101] }), "value_error.list.max_items"),
        (json!({ "ids": [id, 17] }), "type_error.uuid"),
        (json!({ "ids": [id, "me"] }), "type_error.uuid"),
        (json!({ "ids": [id], "limit": 5 }), "value_error.extra"),
    ] {
        let reply = look_up(&platform, &anna, body).await;
        let kinds: Vec<_> = reply.body["detail"].as_array().unwrap().iter().map(|one| one["type"].clone()).collect();
        assert_eq!((reply.status.as_u16(), kinds), (422, vec![json!(kind)]));
    }
    assert_eq!(look_up(&platform, &anna, json!({ "ids": vec![id; 100] })).await.body, json!([]));
}

/// Counts the queries of the thread on which it is the subscriber.
struct QueryCounter(Arc<AtomicUsize>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for QueryCounter {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A hundred posts cost the queries of one, and are whole, although a list of them would be cut.
#[sqlx::test(migrations = false)]
async fn a_hundred_posts_are_looked_up_by_as_many_queries_as_one(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    write(&platform, &anna, &"x".repeat(2_000), &["NEWS"], "POSTED").await;
    let more = "insert into post (id, created_by, content, types, status)
        select gen_random_uuid(), created_by, content, types, status from post, generate_series(1, 99)";
    platform.app.db.execute(more).await.unwrap();
    let rows = platform.app.db.fetch_all("select id from post order by id").await.unwrap();
    let ids: Vec<Uuid> = rows.iter().map(|row| row.get("id")).collect();
    let mut queries = Vec::new();
    for asked in [&ids[..1], &ids[..]] {
        // While a process has one subscriber only, which places are logged is decided by whatever thread meets them first.
        let _second = tracing::Dispatch::new(tracing_subscriber::registry());
        let count = Arc::new(AtomicUsize::new(0));
        let subscriber = tracing_subscriber::registry().with(QueryCounter(count.clone()));
        let guard = tracing::subscriber::set_default(subscriber);
        let found = look_up(&platform, &anna, json!({ "ids": asked })).await;
        drop(guard);
        queries.push(count.load(Ordering::Relaxed));
        let found = found.body.as_array().unwrap().clone();
        let found_ids: Vec<_> = found.iter().map(|post| post["id"].clone()).collect();
        assert_eq!(json!(found_ids), json!(asked));
        assert!(found.iter().all(|post| post["content"].as_str().unwrap().len() == 2_000));
    }
    assert_eq!(queries, [3, 3], "the posts, their items, their pictures");
    let listed = platform.call("GET", "/posts?limit=100", Some(&anna), None).await.body;
    assert_eq!(listed[0]["truncated"], true);
}

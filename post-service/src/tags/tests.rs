//! Tags, through their routes and the work in the background.
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::schedulers::{TagBackfiller, calculate};
use crate::SERVICE;
use crate::blocks::events::USER_BLOCKED;
use crate::core::contract::timestamp::Timestamp;
use crate::core::ground::worker::Worker;
use crate::core::testing::{Platform, new_user};
use crate::posts::events::{POST_CREATED, POST_DELETE_REQUESTED, POST_UPDATED};
use crate::search::tests::index;

async fn write(platform: &Platform, author: &str, content: &str, status: &str) -> Value {
    let body = json!({ "content": content, "types": [], "status": status });
    let reply = platform.call("POST", "/posts", Some(author), Some(body)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.body
}

async fn change(platform: &Platform, author: &str, post: &Value, content: &str) -> Value {
    let path = format!("/posts/{}", post["id"].as_str().unwrap());
    let reply = platform.call("PUT", &path, Some(author), Some(json!({ "content": content, "types": [] }))).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

/// The contents of the posts with a tag.
async fn tagged(platform: &Platform, reader: &str, tag: &str) -> Vec<String> {
    let reply = platform.call("GET", &format!("/tags/{tag}/posts"), Some(reader), None).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body.as_array().unwrap().iter().map(|post| post["content"].as_str().unwrap().to_owned()).collect()
}

/// The trends of now, calculated at a moment.
async fn trends(platform: &Platform, reader: &str, hours: i64) -> Vec<Value> {
    calculate(&platform.app, Timestamp(Utc::now() + TimeDelta::hours(hours))).await.unwrap();
    let reply = platform.call("GET", "/tags/trending", Some(reader), None).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body.as_array().unwrap().clone()
}

#[sqlx::test(migrations = false)]
async fn a_post_shows_its_facets_and_tags_and_so_do_its_events(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let post = write(&platform, &anna, "Ich mag #Straße, @Bert!", "POSTED").await;
    let facets = json!([
        { "kind": "TAG", "value": "Straße", "byte_start": 8, "byte_end": 16, "utf16_start": 8, "utf16_end": 15 },
        { "kind": "MENTION", "value": "Bert", "byte_start": 18, "byte_end": 23, "utf16_start": 17, "utf16_end": 22 },
    ]);
    assert_eq!((&post["facets"], &post["tags"]), (&facets, &json!(["strasse"])));
    assert_eq!(platform.published(POST_CREATED).await, std::slice::from_ref(&post));
    let changed = change(&platform, &anna, &post, "Nothing leads anywhere").await;
    assert_eq!((changed.get("facets"), changed.get("tags")), (None, None), "the contract's answer stays as it is");
    assert_eq!(platform.published(POST_UPDATED).await, [changed]);
}

#[sqlx::test(migrations = false)]
async fn the_posts_with_a_tag_are_listed_in_every_spelling_as_the_reader_may_see_them(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, her), (bert, _), (carl, him)) = (new_user(), new_user(), new_user());
    write(&platform, &anna, "one #Rust", "POSTED").await;
    let two = write(&platform, &bert, "two #RUST #go", "POSTED").await;
    write(&platform, &bert, "a draft #rust", "DRAFT").await;
    write(&platform, &bert, "#rusty #trust", "POSTED").await;
    for spelling in ["rust", "Rust", "%EF%BC%B2ust"] {
        assert_eq!(tagged(&platform, &carl, spelling).await, ["two #RUST #go", "one #Rust"], "{spelling}");
    }
    let first = platform.call("GET", "/tags/rust/posts?limit=1", Some(&carl), None).await;
    let link = first.headers["link"].to_str().unwrap();
    let next = link.strip_prefix("</api/v1").unwrap().split_once('>').unwrap().0;
    let second = platform.call("GET", next, Some(&carl), None).await;
    assert_eq!((second.body.as_array().unwrap().len(), &second.body[0]["content"]), (1, &json!("one #Rust")));

    let block = json!({ "user_id": her, "target_id": him, "at": "2026-11-20T12:00:00+00:00" });
    platform.consume(USER_BLOCKED, &block).await;
    assert_eq!(tagged(&platform, &carl, "rust").await, ["two #RUST #go"], "nothing across a block");
    change(&platform, &bert, &two, "two #go").await;
    assert_eq!(tagged(&platform, &carl, "rust").await, [""; 0], "an edit takes a tag away");
    assert_eq!(tagged(&platform, &carl, "go").await, ["two #go"]);
    let request = json!({ "content_id": two["id"], "raw_content": two, "reason": "NUDITY" });
    platform.consume(POST_DELETE_REQUESTED, &request).await;
    assert_eq!(tagged(&platform, &carl, "go").await, [""; 0], "nor is a hidden post listed");
}

#[sqlx::test(migrations = false)]
async fn what_is_no_tag_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let long = "a".repeat(65);
    for tag in ["1", "a-b", "%23rust", "a%20b", "%00", "%FF", long.as_str()] {
        let reply = platform.call("GET", &format!("/tags/{tag}/posts"), Some(&anna), None).await;
        let expected =
            json!([{ "loc": ["path", "tag"], "msg": "value is not a valid tag", "type": "value_error.tag" }]);
        assert_eq!((reply.status.as_u16(), &reply.body["detail"]), (422, &expected), "{tag}");
    }
    let reply = platform.call("GET", "/tags/trending?limit=201", Some(&anna), None).await;
    assert_eq!((reply.status.as_u16(), &reply.body["detail"][0]["loc"]), (422, &json!(["query", "limit"])));
}

#[sqlx::test(migrations = false)]
async fn a_trend_is_what_several_people_write_of_and_not_one_loud_account(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (loud, _) = new_user();
    for n in 0..20 {
        write(&platform, &loud, &format!("{n} #BuyNow"), "POSTED").await;
    }
    assert_eq!(trends(&platform, &loud, 0).await, [json!(null); 0]);
    let mut last = Value::Null;
    for content in ["#Eclipse", "#eclipse", "#Eclipse"] {
        last = write(&platform, &new_user().0, content, "POSTED").await;
    }
    let found = trends(&platform, &loud, 0).await;
    assert_eq!(found, [json!({ "tag": "eclipse", "written": "Eclipse", "authors": 3, "score": 4.0 })]);
    let later = trends(&platform, &loud, 12).await;
    assert_eq!(later, [json!(null); 0], "in twelve hours each counts a quarter, which is less than one person");
    let request = json!({ "content_id": last["id"], "raw_content": last, "reason": "NUDITY" });
    platform.consume(POST_DELETE_REQUESTED, &request).await;
    assert_eq!(trends(&platform, &loud, 0).await, [json!(null); 0], "a hidden post does not count");
}

/// A tag that is used every day is no trend, though many use it.
#[sqlx::test(migrations = false)]
async fn a_tag_is_compared_with_its_own_past(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    for content in ["#Monday #new", "#Monday #new", "#Monday #new", "#Monday #new"] {
        write(&platform, &new_user().0, content, "POSTED").await;
    }
    // Thirty others on each of the seven days before.
    let past = "with old as (
            insert into post (id, created_by, content, types, status, published_at)
            select gen_random_uuid(), gen_random_uuid(), '#Monday', '{}', 'POSTED', now() - make_interval(days => day, hours => 1)
            from generate_series(1, 7) as day, generate_series(1, 30) returning *
        ) insert into post_tag select id, 'monday', 'Monday', created_by, created_at, published_at from old";
    // The foreign key is checked when the statement ends.
    platform.app.db.execute(past).await.unwrap();
    let found = trends(&platform, &new_user().0, 0).await;
    assert_eq!(found.iter().map(|trend| &trend["tag"]).collect::<Vec<_>>(), ["new"]);
}

/// Posts of an older release have no rows of tags, and get them in the background.
#[sqlx::test(migrations = false)]
async fn the_tags_of_older_posts_are_read_in_the_background(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let old = "insert into post (id, created_by, content, types, status, published_at)
        select gen_random_uuid(), gen_random_uuid(), 'old #Rust ' || n, '{}', 'POSTED', now()
        from generate_series(1, 250) as n";
    platform.app.db.execute(old).await.unwrap();
    // The worker of the platform under test may be at it, too: each step is a page of one of the two.
    platform.app.db.execute("update tag_backfill set done_to = default, done_at = null").await.unwrap();
    let mut worker = TagBackfiller(platform.app.clone());
    for _ in 0..4 {
        worker.step().await.unwrap();
    }
    let page = platform.call("GET", "/tags/rust/posts?limit=200", Some(&anna), None).await;
    assert_eq!(page.body.as_array().unwrap().len(), 200);
    assert!(page.headers["link"].to_str().unwrap().contains("/tags/rust/posts"));
    let done = platform.app.db.fetch_one("select from tag_backfill where done_at is not null").await;
    assert!(done.is_ok(), "{done:?}");
}

/// What a text had is as personal as the text.
#[sqlx::test(migrations = false)]
async fn an_erased_authors_tags_and_items_are_gone_everywhere(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, her) = new_user();
    let item = json!({ "kind": "LINK", "url": "https://annastag.example/", "title": "annastag" });
    let body = json!({ "content": "#annastag @annastag", "types": [], "status": "POSTED", "item": item });
    assert_eq!(platform.call("POST", "/posts", Some(&anna), Some(body)).await.status, 201);
    platform.published(POST_CREATED).await;
    index(&platform).await;
    let places = platform.finds("annastag").await;
    let indexed = ["post.item", "post.outbox", "post.post", "post.post_item", "post.post_search", "post.post_tag"];
    assert_eq!(places, [&indexed[..], &["post_created"]].concat());
    platform.consume("user_deleted", &json!({ "id": her, "deleted_at": "2026-11-20T12:00:00+00:00" })).await;
    platform.erase(her).await;
    assert_eq!(platform.finds("annastag").await, [""; 0]);
}

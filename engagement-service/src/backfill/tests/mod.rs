//! The backfill, against a stub of the services that own what it copies.
mod graph;
mod moderation;
mod notifications;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{SubsecRound, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Row};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::commands::rebuild;
use super::schedulers::{Backfill, rest_behind};
use crate::SERVICE;
use crate::core::contract::timestamp::Timestamp;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::Platform;
use crate::posts::events::POST_VIEWED;

/// Rows on a page of the stub.
const PAGE: usize = 2;

/// The stub: the rows of each source in the order of their keys.
#[derive(Default)]
struct Owner {
    rows: Mutex<BTreeMap<String, BTreeMap<String, Value>>>,
    /// The last view that is counted in `total_views`.
    watermark: Mutex<String>,
    /// Sources that it does not have.
    absent: Mutex<BTreeSet<String>>,
    /// The pages that it was asked for.
    asked: Mutex<Vec<String>>,
}

impl Owner {
    fn add(&self, source: &str, row: &Value) {
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        let key = if text("id").is_empty() {
            format!("{}.{}", text("user_id"), text("target_id"))
        } else {
            text("id").into()
        };
        self.rows.lock().unwrap().entry(source.to_owned()).or_default().insert(key, row.clone());
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

async fn page(
    State(owner): State<Arc<Owner>>,
    Path(source): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let cursor = query.get("cursor").cloned().unwrap_or_default();
    if query.get("limit").is_none_or(|limit| limit != "500") {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    }
    owner.asked.lock().unwrap().push(source.clone());
    if headers[header::AUTHORIZATION] != "Bearer operator" {
        return StatusCode::FORBIDDEN.into_response();
    }
    if owner.absent.lock().unwrap().contains(&source) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let rows = owner.rows.lock().unwrap();
    let rows = rows.get(&source).into_iter().flatten().filter(|(key, _)| **key > cursor).take(PAGE);
    let (keys, items): (Vec<_>, Vec<_>) = rows.unzip();
    let watermark = owner.watermark.lock().unwrap().clone();
    let watermarks = if source == "posts" { json!({ POST_VIEWED: watermark }) } else { json!({}) };
    let page = json!({ "as_of": Timestamp(Utc::now()), "watermarks": watermarks, "items": items, "next": keys.last() });
    axum::Json(page).into_response()
}

/// The service beside a stub of its neighbours.
async fn start(database: PgConnectOptions) -> (Platform, Arc<Owner>) {
    let owner = Arc::new(Owner { watermark: Mutex::new("0-0".to_owned()), ..Owner::default() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/internal/read-model/{source}", get(page)).with_state(owner.clone());
    TaskTracker::new().spawn(async { axum::serve(listener, router).await });
    let producers = ["auth-service", "post-service", "interaction-service", "moderation-service"];
    let producers = producers.map(|name| format!("{name}={url}")).join(",");
    (Platform::start(&SERVICE, database, &["--producers", &producers]).await, owner)
}

/// Steps until there is nothing to do; how many steps that were.
async fn finish(worker: &mut Backfill) -> usize {
    let mut steps = 1;
    while worker.step().await.unwrap() == Outcome::Busy {
        steps += 1;
    }
    steps
}

/// The rows of a query, each as text.
async fn rows(platform: &Platform, query: &str) -> Vec<String> {
    let query = format!("select row::text from ({query}) as row");
    let found = platform.app.db.fetch_all(AssertSqlSafe(query)).await.unwrap();
    found.iter().map(|row| row.get(0)).collect()
}

/// All rows of the read model.
async fn stored(platform: &Platform) -> Vec<String> {
    let mut all = Vec::new();
    for table in [
        "person",
        "follow",
        "block",
        "post_card",
        "comment_card",
        "reaction_card",
        "comment_reaction_card",
        "post_count",
    ] {
        all.extend(rows(platform, &format!("select '{table}', {table} from {table} order by {table}")).await);
    }
    all
}

/// A moment some minutes ago.
fn ago(minutes: i64) -> Value {
    json!(Timestamp((Utc::now() - TimeDelta::minutes(minutes)).trunc_subsecs(6)))
}

fn post(id: Uuid, at: &Value, views: i64) -> Value {
    json!({ "id": id, "created_at": at, "created_by": Uuid::nil(), "updated_at": at, "title": "T", "content": "text",
        "types": ["NEWS"], "status": "POSTED", "published_at": at, "hidden_at": null, "total_views": views })
}

fn part(id: Uuid, post: Uuid, at: &Value) -> Value {
    json!({ "id": id, "created_at": at, "created_by": Uuid::nil(), "updated_at": at, "post_id": post, "hidden_at": null,
        "comment_id": post, "type": "LIKE", "content": "words" })
}

#[sqlx::test(migrations = false)]
async fn everything_is_copied_and_what_its_owner_lacks_is_deleted(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, owner) = start(database).await;
    let at = ago(60);
    let people: Vec<Uuid> = (0..5).map(|_| Uuid::now_v7()).collect();
    for (n, id) in people[..4].iter().enumerate() {
        owner.add(
            "people",
            &json!({ "id": id, "username": format!("p{n}"), "first_name": "P", "last_name": null,
            "avatar_url": null, "interests": ["NEWS", "BOOKS"], "status": "ACTIVE", "updated_at": at }),
        );
    }
    let pair =
        |one: usize, other: usize, at: &Value| json!({ "user_id": people[one], "target_id": people[other], "at": at });
    for (one, other) in [(0, 1), (0, 2), (1, 0)] {
        owner.add("connections", &pair(one, other, &at));
    }
    owner.add("blocks", &pair(3, 0, &at));
    let posts: Vec<Uuid> = (0..4).map(|_| Uuid::now_v7()).collect();
    for (n, id) in posts[..3].iter().enumerate() {
        owner.add("posts", &post(*id, &at, 10 * i64::try_from(n).unwrap()));
    }
    let parts: Vec<Uuid> = (0..4).map(|_| Uuid::now_v7()).collect();
    for id in &parts[..3] {
        owner.add("comments", &part(*id, posts[0], &at));
        owner.add("reactions", &part(*id, posts[1], &at));
        owner.add("comment-reactions", &part(*id, posts[1], &at));
    }
    // What only this service has: old, and so deleted, or younger than any snapshot.
    let now = json!(Timestamp(Utc::now()));
    let user = |n: usize, at: &Value| json!({ "id": people[n], "updated_at": at, "status": "BANNED" });
    platform.consume("user_updated", &user(4, &at)).await;
    platform.consume("user_updated", &user(3, &now)).await;
    platform.consume("user_connected", &pair(2, 1, &at)).await;
    platform.consume("user_connected", &pair(2, 0, &now)).await;
    platform.consume("user_blocked", &pair(2, 1, &at)).await;
    platform.consume("user_blocked", &pair(2, 0, &now)).await;
    platform.consume("post_created", &post(posts[3], &at, 0)).await;
    platform.consume("post_comment_created", &part(parts[3], posts[0], &at)).await;
    platform.consume("post_reaction_created", &part(parts[3], posts[1], &at)).await;
    platform.consume("comment_reaction_created", &part(parts[3], posts[1], &at)).await;
    let young = Uuid::now_v7();
    platform.consume("post_comment_created", &part(young, posts[0], &now)).await;

    let mut worker = Backfill::new(&platform.app);
    finish(&mut worker).await;
    let progress = platform.app.progress.borrow().clone();
    let copied = progress["rebuild"].as_array().unwrap().iter().find(|source| source["source"] == "posts").unwrap();
    assert_eq!((&copied["rows"], copied["finished_at"].is_string()), (&json!(3), true), "{progress}");
    let found = rows(&platform, "select username, status, interests from person order by id").await;
    let kept = "(,BANNED,{})".to_owned();
    let copied = |n: usize| format!("(p{n},ACTIVE,\"{{NEWS,BOOKS}}\")");
    assert_eq!(found, [copied(0), copied(1), copied(2), kept], "the newest version, and no leftover");
    let pairs = async |table: &str| {
        let query = format!("select user_id, target_id from {table} where stands order by user_id, target_id");
        rows(&platform, &query).await
    };
    let named = |which: &[(usize, usize)]| {
        which.iter().map(|(one, other)| format!("({},{})", people[*one], people[*other])).collect::<Vec<_>>()
    };
    assert_eq!(pairs("follow").await, named(&[(0, 1), (0, 2), (1, 0), (2, 0)]));
    assert_eq!(pairs("block").await, named(&[(2, 0), (3, 0)]));
    let cards = rows(&platform, "select title, content, is_public(post_card) from post_card order by id").await;
    assert_eq!(cards, ["(T,text,t)", "(T,text,t)", "(T,text,t)", "(,\"\",f)"]);
    let counts =
        "select views, comments, reactions from post_count where views + comments + reactions > 0 order by post_id";
    assert_eq!(rows(&platform, counts).await, ["(0,4,0)", "(10,0,3)", "(20,0,0)"]);
    let liked = "select count(*), count(deleted_at) from comment_reaction_card where comment_id = post_id";
    assert_eq!(rows(&platform, liked).await, ["(4,1)"]);

    // A connection that was deleted as a leftover, and that its people make again.
    let later = ago(30);
    platform.consume("user_connected", &pair(2, 1, &later)).await;
    assert_eq!(pairs("follow").await, named(&[(0, 1), (0, 2), (1, 0), (2, 0), (2, 1)]));

    let before = stored(&platform).await;
    owner.add("connections", &pair(2, 0, &now));
    owner.add("connections", &pair(2, 1, &later));
    owner.add("blocks", &pair(2, 0, &now));
    rebuild(&platform.app).await.unwrap();
    finish(&mut worker).await;
    let after = stored(&platform).await;
    assert_eq!(after, before, "what is right stays as it is");
}

/// The id of the last view in the stream.
async fn last_view(platform: &Platform) -> String {
    let reply: redis::streams::StreamInfoStreamReply =
        redis::AsyncCommands::xinfo_stream(&mut platform.app.redis.clone(), POST_VIEWED).await.unwrap();
    reply.last_generated_id
}

#[sqlx::test(migrations = false)]
async fn views_are_exact_wherever_the_owner_of_their_sum_is(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, owner) = start(database).await;
    let seen = Uuid::now_v7();
    let view = json!({ "id": seen, "viewed_by": Uuid::now_v7() });
    let look = async || {
        platform.consume(POST_VIEWED, &view).await;
        last_view(&platform).await
    };
    let is = async |views: i64| {
        let found = rows(&platform, "select views from post_count").await;
        assert_eq!(found, [format!("({views})")]);
    };
    let sum = |views: i64, up_to: &str| {
        owner.add("posts", &post(seen, &ago(60), views));
        up_to.clone_into(&mut owner.watermark.lock().unwrap());
    };
    // A hundred views without events, and two with: of these the owner has counted one.
    let first = look().await;
    look().await;
    is(2).await;
    sum(101, &first);
    let mut worker = Backfill::new(&platform.app);
    finish(&mut worker).await;
    let again = worker.step().await.unwrap();
    assert_eq!(again, Outcome::Idle(Duration::from_secs(1)), "the second one is in neither the sum nor the log");
    is(2).await;

    // The owner is behind: views after it are in the log.
    let third = look().await;
    look().await;
    sum(103, &third);
    assert_eq!(worker.step().await.unwrap(), Outcome::Busy);
    is(104).await;
    look().await;
    is(105).await;
    finish(&mut worker).await;
    is(105).await;
    assert_eq!(rows(&platform, "select 1 from view_log").await.len(), 0, "the log ends with the copy");

    // The owner is ahead: what it has counted counts nothing when it is consumed here.
    let fields = [("message", view.to_string()), ("type", "json".to_owned())];
    let ahead: String =
        redis::AsyncCommands::xadd(&mut platform.app.redis.clone(), POST_VIEWED, "*", &fields).await.unwrap();
    sum(106, &ahead);
    rebuild(&platform.app).await.unwrap();
    finish(&mut worker).await;
    is(106).await;
    look().await;
    is(107).await;
}

#[sqlx::test(migrations = false)]
async fn repeated_views_are_those_of_the_owner_and_the_logged_ones_behind_them(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let (platform, owner) = start(database).await;
    let seen = Uuid::now_v7();
    let look = async |repeated: bool| {
        let view = json!({ "id": seen, "viewed_by": Uuid::nil(), "repeated": repeated });
        platform.consume(POST_VIEWED, &view).await;
    };
    let are = async |views: i64, repeated: i64| {
        let found = rows(&platform, "select views, repeated_views from post_count").await;
        assert_eq!(found, [format!("({views},{repeated})")]);
    };
    // The owner has counted it, and ten of which no event is left.
    look(true).await;
    let mut sum = post(seen, &ago(60), 11);
    sum["repeated_views"] = json!(5);
    owner.add("posts", &sum);
    *owner.watermark.lock().unwrap() = last_view(&platform).await;
    let mut worker = Backfill::new(&platform.app);
    // The beginnings and the only pages of four sources, and the beginning of posts.
    for _ in 0..9 {
        assert_eq!(worker.step().await.unwrap(), Outcome::Busy);
    }
    look(true).await;
    look(false).await;
    are(3, 2).await;
    finish(&mut worker).await;
    are(13, 6).await;

    // A post service of before has a sum alone: the repeated ones stay those that are known.
    owner.add("posts", &post(seen, &ago(60), 13));
    *owner.watermark.lock().unwrap() = last_view(&platform).await;
    rebuild(&platform.app).await.unwrap();
    finish(&mut worker).await;
    are(13, 6).await;
}

/// A copy without pauses took so much of a small machine that services gave up their calls of each other.
#[sqlx::test(migrations = false)]
async fn a_rest_behind_each_page_leaves_the_machine_to_others(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let mut worker = Backfill::new(&platform.app);
    // The beginning of people, and their only page.
    for _ in 0..2 {
        assert_eq!(worker.step().await.unwrap(), Outcome::Busy);
    }
    let (rest, begun) = (worker.rest, Instant::now());
    assert!(rest > Duration::ZERO);
    worker.step().await.unwrap();
    assert!(begun.elapsed() >= rest, "it works on after {:?}", begun.elapsed());
    for (took, rest) in [(40, 20), (600, 300), (10_000, 500)] {
        assert_eq!(rest_behind(Duration::from_millis(took)), Duration::from_millis(rest));
    }
}

#[sqlx::test(migrations = false)]
async fn a_process_that_takes_over_goes_on_where_the_other_one_was(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, owner) = start(database).await;
    for _ in 0..9 {
        owner.add("posts", &post(Uuid::now_v7(), &ago(60), 0));
    }
    let other = platform.beside(&[]);
    let (mut one, mut two) = (Backfill::new(&platform.app), Backfill::new(&other.app));
    // The beginnings and the only pages of four sources, the beginning of posts, and two of their pages.
    for _ in 0..11 {
        assert_eq!(one.step().await.unwrap(), Outcome::Busy);
    }
    assert_eq!(two.step().await.unwrap(), Outcome::Idle(Duration::from_secs(5)), "one works at a time");
    assert_eq!(owner.asked(), ["people", "blocks", "connections", "moderated-posts", "posts", "posts"]);
    drop(one);
    while two.step().await.unwrap() != Outcome::Busy {
        // Postgres sees within a moment that the connection with the lock is gone.
        tokio::task::yield_now().await;
    }
    finish(&mut two).await;
    let rest = ["posts", "posts", "posts", "posts", "comments", "reactions", "comment-reactions"];
    assert_eq!(owner.asked(), rest, "no page is read twice");
    assert_eq!(rows(&platform, "select count(*) from post_card where published_at is not null").await, ["(9)"]);
    assert_eq!(finish(&mut two).await, 1, "and it does not begin by itself again");
}

#[sqlx::test(migrations = false)]
async fn an_owner_without_the_routes_is_asked_again_hours_later(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, owner) = start(database).await;
    owner.absent.lock().unwrap().insert("posts".to_owned());
    owner.add("comments", &part(Uuid::now_v7(), Uuid::now_v7(), &ago(60)));
    let mut worker = Backfill::new(&platform.app);
    finish(&mut worker).await;
    let before = ["people", "blocks", "connections", "moderated-posts", "posts"];
    let behind = ["comments", "comments", "reactions", "comment-reactions"];
    assert_eq!(owner.asked(), [&before[..], &behind].concat());
    assert_eq!(rows(&platform, "select comments from post_count").await, ["(1)"], "the others are copied");
    platform.consume(POST_VIEWED, &json!({ "id": Uuid::now_v7(), "viewed_by": Uuid::nil() })).await;
    assert_eq!(rows(&platform, "select 1 from view_log").await.len(), 0, "no log grows meanwhile");
    assert_eq!((finish(&mut worker).await, owner.asked().len()), (1, 0));

    owner.absent.lock().unwrap().clear();
    *owner.watermark.lock().unwrap() = last_view(&platform).await;
    platform.app.db.execute("update backfill_source set due_at = due_at - interval '6 hours'").await.unwrap();
    finish(&mut worker).await;
    assert_eq!(owner.asked(), ["posts"]);
    let request = axum::http::Request::get("/internal/rebuild").header(header::AUTHORIZATION, "Bearer operator");
    let shown = platform.send(request.body(axum::body::Body::empty()).unwrap()).await.body;
    let done: Vec<_> = shown.as_array().unwrap().iter().map(|source| source["finished_at"].is_string()).collect();
    assert_eq!(done, [true; 9], "{shown}");
    assert_eq!((&shown[5]["source"], &shown[5]["rows"]), (&json!("comments"), &json!(1)));
}

/// The block of a deleted account has no end of its own among the events.
#[sqlx::test(migrations = false)]
async fn an_account_that_is_deleted_behind_a_snapshot_leaves_no_block(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, owner) = start(database).await;
    let [gone, left] = [(); 2].map(|()| Uuid::now_v7());
    owner.add("blocks", &json!({ "user_id": left, "target_id": gone, "at": ago(60) }));
    platform.consume("user_deleted", &json!({ "id": gone, "deleted_at": Timestamp(Utc::now()) })).await;
    finish(&mut Backfill::new(&platform.app)).await;
    assert_eq!(rows(&platform, "select user_id from block").await, Vec::<String>::new());
}

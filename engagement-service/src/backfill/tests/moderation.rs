//! What moderation has decided about posts, of which no event comes, and of which some do.
use chrono::Utc;
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::{Owner, ago, finish, post, rows, start};
use crate::backfill::commands::rebuild;
use crate::backfill::schedulers::Backfill;
use crate::core::contract::timestamp::Timestamp;
use crate::core::testing::Platform;
use crate::moderated_posts::events::{CONTENT_LABELLED, MODERATION_DECIDED};

const AUTHOR: Uuid = Uuid::from_u128(7);

/// What is stored of posts, in the order of their ids.
const STORED: &str = "select limited, version, labels, labels_version from moderated_post order by post_id";

/// Lets the stub have decided about a post.
fn copy(owner: &Owner, post: Uuid, version: i64, visibility: &str, labels: &[&str]) {
    let row = json!({ "id": post, "author": AUTHOR, "version": version, "visibility": visibility, "labels": labels });
    owner.add("moderated-posts", &row);
}

/// Consumes the events of a decision about a post.
async fn decide(platform: &Platform, post: Uuid, version: i64, visibility: &str, labels: &[&str]) {
    let event = json!({ "subject_type": "POST", "subject_id": post, "author": AUTHOR, "version": version,
        "visibility": visibility, "labels": labels });
    platform.consume(MODERATION_DECIDED, &event).await;
    platform.consume(CONTENT_LABELLED, &event).await;
}

fn new_posts<const N: usize>() -> [Uuid; N] {
    let mut posts = [(); N].map(|()| Uuid::now_v7());
    posts.sort_unstable();
    posts
}

/// How far the source is, as operators see it.
fn progress(platform: &Platform) -> Value {
    let progress = platform.app.progress.borrow().clone();
    let all = progress["rebuild"].as_array().unwrap();
    all.iter().find(|source| source["source"] == "moderated-posts").unwrap().clone()
}

#[sqlx::test(migrations = false)]
async fn limits_and_labels_are_copied_by_the_first_start_and_by_a_rebuild(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let (platform, owner) = start(database).await;
    let posts = new_posts::<5>();
    let decisions: [(&str, &[&str]); 5] = [
        ("LIMITED", &[]),
        ("HELD", &["graphic"]),
        ("VISIBLE", &["graphic", "spoiler"]),
        ("VISIBLE", &[]),
        ("HIDDEN", &[]),
    ];
    for (post, (visibility, labels)) in posts.into_iter().zip(decisions) {
        copy(&owner, post, 2, visibility, labels);
    }
    let mut worker = Backfill::new(&platform.app);
    finish(&mut worker).await;
    let all = ["(t,2,{},2)", "(t,2,{graphic},2)", "(f,2,\"{graphic,spoiler}\",2)", "(f,2,{},2)", "(t,2,{},2)"];
    assert_eq!(rows(&platform, STORED).await, all);
    let shown = progress(&platform);
    assert_eq!((&shown["rows"], shown["finished_at"].is_string()), (&json!(5), true), "{shown}");
    assert_eq!(owner.asked().iter().filter(|source| *source == "moderated-posts").count(), 4, "in pages of two");

    // A backup without them, restored when their events are gone.
    platform.app.db.execute("delete from moderated_post").await.unwrap();
    rebuild(&platform.app).await.unwrap();
    finish(&mut worker).await;
    assert_eq!(rows(&platform, STORED).await, all);
}

#[sqlx::test(migrations = false)]
async fn of_a_page_and_an_event_the_newer_one_holds_in_either_order(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, owner) = start(database).await;
    let [newer_before, older_before, newer_behind, older_behind] = new_posts();
    decide(&platform, newer_before, 5, "VISIBLE", &[]).await;
    decide(&platform, older_before, 2, "VISIBLE", &["graphic"]).await;
    copy(&owner, newer_before, 4, "LIMITED", &["graphic"]);
    copy(&owner, older_before, 4, "LIMITED", &[]);
    copy(&owner, newer_behind, 4, "LIMITED", &["graphic"]);
    copy(&owner, older_behind, 4, "VISIBLE", &[]);
    finish(&mut Backfill::new(&platform.app)).await;
    decide(&platform, newer_behind, 6, "VISIBLE", &[]).await;
    decide(&platform, older_behind, 3, "LIMITED", &["graphic"]).await;
    assert_eq!(rows(&platform, STORED).await, ["(f,5,{},5)", "(t,4,{},4)", "(f,6,{},6)", "(f,4,{},4)"]);
}

#[sqlx::test(migrations = false)]
async fn a_post_whose_limit_ended_without_an_event_comes_back_into_feeds(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, owner) = start(database).await;
    let [open, limited] = new_posts();
    for id in [open, limited] {
        let published = post(id, &ago(60), 0);
        platform.consume("post_created", &published).await;
        owner.add("posts", &published);
        decide(&platform, id, 1, "LIMITED", &[]).await;
    }
    platform.app.db.execute("delete from fan_out").await.unwrap();
    copy(&owner, open, 2, "VISIBLE", &[]);
    copy(&owner, limited, 2, "LIMITED", &["graphic"]);
    finish(&mut Backfill::new(&platform.app)).await;
    assert_eq!(rows(&platform, "select post_id from fan_out").await, [format!("({open})")]);
}

/// The snapshot of a page may be older than the end of an account.
#[sqlx::test(migrations = false)]
async fn decisions_about_posts_of_an_erased_author_are_not_copied(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, owner) = start(database).await;
    let [gone] = new_posts();
    copy(&owner, gone, 1, "LIMITED", &["graphic"]);
    platform.consume("user_deleted", &json!({ "id": AUTHOR, "deleted_at": Timestamp(Utc::now()) })).await;
    finish(&mut Backfill::new(&platform.app)).await;
    assert_eq!(rows(&platform, STORED).await, Vec::<String>::new());
    assert_eq!(progress(&platform)["rows"], 1);
}

/// A moderation service of before has no such route.
#[sqlx::test(migrations = false)]
async fn a_moderation_service_without_the_route_holds_up_no_other_source(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, owner) = start(database).await;
    let [limited] = new_posts();
    copy(&owner, limited, 1, "LIMITED", &[]);
    owner.add("posts", &post(limited, &ago(60), 0));
    owner.absent.lock().unwrap().insert("moderated-posts".to_owned());
    let mut worker = Backfill::new(&platform.app);
    finish(&mut worker).await;
    assert_eq!(rows(&platform, "select published_at is not null from post_card").await, ["(t)"]);
    assert!(progress(&platform)["finished_at"].is_null());

    owner.absent.lock().unwrap().clear();
    platform.app.db.execute("update backfill_source set due_at = due_at - interval '6 hours'").await.unwrap();
    finish(&mut worker).await;
    assert_eq!(rows(&platform, STORED).await, ["(t,1,{},1)"]);
}

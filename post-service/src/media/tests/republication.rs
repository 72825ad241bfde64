//! Republication: the posts of a changed picture are published again, a page at a time, and no request waits for them.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Row};

use super::{picture, post_with, ready, republish};
use crate::SERVICE;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, new_user};
use crate::media::republication::models::Republication;
use crate::media::republication::schedulers::PostRepublisher;
use crate::posts::events::POST_UPDATED;

/// A picture on 250 posts, which are two pages and a half.
async fn start(database: PgConnectOptions) -> (Platform, String, String) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, her) = new_user();
    let id = ready(&platform, &anna, "POST", &picture(40, 30)).await;
    let posts = format!(
        "with written as (
            insert into post (id, created_by, content, types, status, published_at)
            select gen_random_uuid(), '{her}', 'x', '{{}}', 'POSTED', now() from generate_series(1, 250) returning id
        ) insert into post_media (post_id, place, media_id, key) select id, 1, '{id}', gen_random_uuid() from written"
    );
    platform.app.db.execute(AssertSqlSafe(posts)).await.unwrap();
    (platform, anna, id)
}

async fn describe(platform: &Platform, token: &str, id: &str, alt: &str) {
    let body = Some(json!({ "alt": alt }));
    assert_eq!(platform.call("PATCH", &format!("/media/{id}"), Some(token), body).await.status, 200);
}

/// The descriptions of the picture in all updates that were published.
async fn published(platform: &Platform) -> Vec<Value> {
    platform.published(POST_UPDATED).await.into_iter().map(|post| post["media"][0]["alt"].clone()).collect()
}

async fn count(platform: &Platform, from: &str) -> i64 {
    let query = format!("select count(*) from {from}");
    platform.app.db.fetch_one(AssertSqlSafe(query)).await.unwrap().get(0)
}

/// A change locks no post, however many show the picture, and is published page by page; after a crash a page is repeated.
#[sqlx::test(migrations = false)]
async fn a_picture_on_many_posts_is_published_a_page_at_a_time(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, anna, id) = start(database).await;
    let mut readers = platform.app.db.begin().await.unwrap();
    readers.execute("select from post order by id for update").await.unwrap();
    describe(&platform, &anna, &id, "One").await;
    readers.rollback().await.unwrap();
    assert_eq!(published(&platform).await, [json!(null); 0], "the request publishes nothing itself");

    let mut republisher = PostRepublisher(platform.app.clone());
    assert_eq!(republisher.step().await.unwrap(), Outcome::Busy);
    assert_eq!(published(&platform).await.len(), 100);
    // A worker dies with the job at hand.
    let dead = Republication::claim(&platform.app.db, 30.0).await.unwrap().unwrap();
    assert!(!dead.done_to.is_nil());
    assert!(matches!(republisher.step().await.unwrap(), Outcome::Idle(_)), "it is the dead one's for half a minute");
    platform.app.db.execute("update media_republication set free_at = now() - interval '1 second'").await.unwrap();
    let mut late = platform.app.db.begin().await.unwrap();
    dead.finish(&mut late).await.unwrap();
    late.commit().await.unwrap();
    for expected in [200, 250] {
        assert_eq!(republisher.step().await.unwrap(), Outcome::Busy);
        assert_eq!(published(&platform).await.len(), expected, "what the dead one does late has no effect");
    }
    assert!(matches!(republisher.step().await.unwrap(), Outcome::Idle(_)));
    assert_eq!(published(&platform).await, vec![json!("One"); 250], "each once");
    assert_eq!(count(&platform, "media_republication").await, 0);
}

/// A picture that changes between two pages is published once more on the posts that were done.
#[sqlx::test(migrations = false)]
async fn a_picture_that_changes_meanwhile_begins_anew(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, anna, id) = start(database).await;
    describe(&platform, &anna, &id, "One").await;
    assert_eq!(PostRepublisher(platform.app.clone()).step().await.unwrap(), Outcome::Busy);
    // One worker has the job at hand while the picture changes.
    let at_hand = Republication::claim(&platform.app.db, 30.0).await.unwrap().unwrap();
    describe(&platform, &anna, &id, "Two").await;
    let mut page = platform.app.db.begin().await.unwrap();
    at_hand.finish(&mut page).await.unwrap();
    page.commit().await.unwrap();
    republish(&platform).await;
    let all = published(&platform).await;
    let words = |alt: &str| all.iter().filter(|one| *one == alt).count();
    assert_eq!((words("One"), words("Two")), (100, 250));
}

/// A deleted picture is off all posts at once, and leaves the rows of its posts and their cards in feeds page by page.
#[sqlx::test(migrations = false)]
async fn a_deleted_picture_leaves_its_posts(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, anna, id) = start(database).await;
    let other = ready(&platform, &anna, "POST", &picture(50, 30)).await;
    let post = post_with(&platform, &anna, &[&id, &other]).await;
    assert_eq!(platform.call("DELETE", &format!("/media/{id}"), Some(&anna), None).await.status, 204);
    let path = format!("/posts/{}", post["id"].as_str().unwrap());
    let shown = platform.call("GET", &path, Some(&anna), None).await.body;
    assert_eq!((shown["media"].as_array().unwrap().len(), &shown["media"][0]["id"]), (1, &json!(other)));
    // A post whose row of the picture is still there gets others, and may be deleted.
    let without = json!({ "content": "y", "types": [], "media": [] });
    assert_eq!(platform.call("PUT", &path, Some(&anna), Some(without)).await.status, 200);
    assert_eq!(platform.call("DELETE", &path, Some(&anna), None).await.status, 204);
    assert_eq!(count(&platform, "post_media").await, 250);
    republish(&platform).await;
    assert_eq!(count(&platform, "post_media").await, 0);
    assert_eq!(count(&platform, "post_listing where list = 'media'").await, 0);
    let updates = platform.published(POST_UPDATED).await;
    assert_eq!(updates.len(), 251, "each post once, and the one that its author changed");
    assert!(updates.iter().all(|post| post.get("media").is_none()));
}

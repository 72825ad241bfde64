//! Lists while older posts are being listed.
use std::time::Duration;

use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, Row};

use super::schedulers::ListingBackfiller;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::new_user;
use crate::media::tests::{picture, ready};
use crate::posts::tests::start;

/// Older posts are listed a page at a time; until all are, a list is what it will be.
#[sqlx::test(migrations = false)]
async fn older_posts_are_listed_in_the_background_and_found_meanwhile(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, _), (ben, _)) = (new_user(), new_user());
    let media = ready(&platform, &anna, "POST", &picture(3, 3)).await;
    for (content, types, status, media) in [
        ("shown", &["NEWS", "NEWS"][..], "POSTED", &[media.as_str()][..]),
        ("plain", &["NEWS"], "POSTED", &[]),
        ("other", &["SPORTS"], "POSTED", &[]),
        ("draft", &["NEWS"], "DRAFT", &[]),
    ] {
        let body = json!({ "content": content, "types": types, "status": status, "media": media });
        assert_eq!(platform.call("POST", "/posts", Some(&anna), Some(body)).await.status, 201);
    }
    let db = &platform.app.db;
    let count = async || db.fetch_one("select count(*) from post_listing").await.unwrap().get::<i64, _>(0);
    let list = async |query: &str| {
        let posts = platform.call("GET", &format!("/posts?{query}"), Some(&ben), None).await.body;
        let contents = posts.as_array().unwrap().iter().map(|post| post["content"].as_str().unwrap().to_owned());
        contents.collect::<Vec<_>>()
    };
    let are_right = async || {
        assert_eq!(list("category=NEWS").await, ["plain", "shown"]);
        assert_eq!(list("category=NEWS&has_media=true").await, ["shown"]);
        assert_eq!(list("category=NEWS&has_media=false").await, ["plain"]);
        assert_eq!(list("category=NEWS&limit=1").await, ["plain"]);
        assert_eq!(list("has_media=true").await, ["shown"]);
        assert_eq!(list("category=POLITICS").await, [""; 0]);
    };
    let mut backfiller = ListingBackfiller(platform.app.clone());
    let rest = Outcome::Idle(Duration::from_mins(10));
    assert_eq!(backfiller.step().await.unwrap(), rest, "where there were no posts, nothing is to be done");
    let listed = count().await;
    are_right().await;

    // As the posts of a release without lists are.
    db.execute("delete from post_listing; update listing_backfill set done_at = null, done_to = default")
        .await
        .unwrap();
    are_right().await;
    // It begins with what another step has done already.
    db.execute("insert into post_listing select 'NEWS', created_at, id from post where content = 'plain'")
        .await
        .unwrap();
    let mut steps = 0;
    while backfiller.step().await.unwrap() != rest {
        are_right().await;
        steps += 1;
    }
    assert_eq!((steps, count().await), (2, listed), "a page, and that there is no other");
    are_right().await;
}

//! Views, through their route and their event.
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::ViewWindow;
use super::events::POST_VIEWED;
use super::models::PostView;
use crate::core::testing::new_user;
use crate::posts::events::{POST_CREATED, POST_DELETED};
use crate::posts::testing::{changed, id, names, post, refusal, start};

#[sqlx::test(migrations = false)]
async fn a_view_is_answered_as_the_original_does_and_published(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = start(database).await;
    let ((anna, author), (bert, viewer)) = (new_user(), new_user());
    let mut seen = post(author, "POSTED");
    (seen["total_views"], seen["score"], seen["popularity"]) = (json!(6), json!(0.33), json!(100.0));
    service.add_post(&seen);
    let path = format!("/{}/view", id(&seen));
    let first = platform.call("GET", &path, Some(&bert), None).await;
    assert_eq!(first.status, 200);
    let mut expected = seen.clone();
    (expected["total_views"], expected["viewed_by"]) = (json!(7), json!(viewer));
    assert_eq!(first.body.to_string(), expected.to_string(), "field by field, in the original's order");
    assert_eq!(names(&first.body).last(), Some(&"viewed_by"));

    // The post service counts; the author's own view counts, too.
    seen["total_views"] = json!(7);
    service.add_post(&seen);
    let own = platform.call("GET", &path, Some(&anna), None).await.body;
    assert_eq!((&own["total_views"], &own["viewed_by"]), (&json!(8), &json!(author)));
    assert_eq!(platform.published(POST_VIEWED).await, [first.body, own]);
    assert_eq!(service.calls(), 2);
}

#[sqlx::test(migrations = false)]
async fn a_view_of_an_invisible_post_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = start(database).await;
    let ((anna, author), (bert, _)) = (new_user(), new_user());
    let unknown = post(author, "POSTED");
    let path = format!("/{}/view", id(&unknown));
    let reply = platform.call("GET", &path, None, None).await;
    assert_eq!(refusal(&reply), (401, &json!("Not authenticated")));
    let reply = platform.call("GET", &path, Some(&bert), None).await;
    assert_eq!(refusal(&reply), (404, &json!("Post not found")));
    // It is archived by now, and the event is not consumed yet.
    platform.consume(POST_CREATED, &unknown).await;
    service.add_post(&changed(&unknown, "ARCHIVED"));
    let reply = platform.call("GET", &path, Some(&bert), None).await;
    assert_eq!(refusal(&reply), (404, &json!("Post not found")));
    assert_eq!(platform.call("GET", &path, Some(&anna), None).await.status, 200);
    // It is deleted by now.
    platform.consume(POST_DELETED, &unknown).await;
    service.remove_post(&unknown);
    let reply = platform.call("GET", &path, Some(&anna), None).await;
    assert_eq!(refusal(&reply), (404, &json!("Post not found")));
    assert_eq!(platform.published(POST_VIEWED).await.len(), 1);
}

#[sqlx::test(migrations = false)]
async fn a_head_is_no_view(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = start(database).await;
    let (anna, author) = new_user();
    let seen = post(author, "POSTED");
    service.add_post(&seen);
    let reply = platform.call("HEAD", &format!("/{}/view", id(&seen)), Some(&anna), None).await;
    assert_eq!(reply.status, 405);
    assert_eq!(platform.published(POST_VIEWED).await, Vec::<Value>::new());
}

#[sqlx::test(migrations = false)]
async fn the_route_of_a_view_is_found_before_that_of_one_reaction(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let (anna, _) = new_user();
    let reply = platform.call("GET", "/post-reactions/view", Some(&anna), None).await;
    assert_eq!(refusal(&reply), (404, &json!("Post not found")));
    let reply = platform.call("GET", "/post-reactions/view", None, None).await;
    assert_eq!(refusal(&reply), (401, &json!("Not authenticated")));
}

/// Every view counts, as in the original, and for the score those of one user within half an hour are one.
#[sqlx::test(migrations = false)]
async fn a_page_that_is_reloaded_counts_each_time_and_once_for_its_score(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = start(database).await;
    let ((anna, author), (bert, viewer)) = (new_user(), new_user());
    let mut seen = post(author, "POSTED");
    service.add_post(&seen);
    let path = format!("/{}/view", id(&seen));
    let view = async |token: &str| platform.call("GET", &path, Some(token), None).await;
    let replies = futures::future::join_all((0..8).map(|_| view(&bert))).await;
    let answers: Vec<Value> = replies.into_iter().map(|reply| reply.body).collect();
    assert_eq!(answers, vec![answers[0].clone(); 8], "the post service has counted none of them yet");
    assert_eq!((&answers[0]["total_views"], &answers[0]["viewed_by"]), (&json!(1), &json!(viewer)));
    let repeated = async || {
        let views = platform.published(POST_VIEWED).await;
        views.iter().map(|view| view["repeated"] == true).collect::<Vec<_>>()
    };
    let published = platform.published(POST_VIEWED).await;
    assert_eq!(published.iter().filter(|view| **view == answers[0]).count(), 1, "one has the original's fields alone");
    let mut again = answers[0].clone();
    again["repeated"] = json!(true);
    assert_eq!(published.iter().filter(|view| **view == again).count(), 7);
    assert_eq!(names(&again).last(), Some(&"repeated"));
    assert_eq!(view(&anna).await.body["total_views"], json!(1));
    assert_eq!(repeated().await.last(), Some(&false), "another user's view counts by itself");

    // The half-hour begins with the view that counted for the score, and then ends, whatever was viewed within it.
    seen["total_views"] = json!(9);
    service.add_post(&seen);
    assert_eq!(view(&bert).await.body["total_views"], json!(10));
    assert_eq!(repeated().await[9..], [true]);
    platform.app.db.execute("update post_view set viewed_at = viewed_at - interval '29 minutes'").await.unwrap();
    view(&bert).await;
    assert_eq!(repeated().await[10..], [true], "it is not over");
    platform.app.db.execute("update post_view set viewed_at = viewed_at - interval '1 minute'").await.unwrap();
    view(&bert).await;
    assert_eq!(repeated().await[11..], [false]);
    let held = platform.personal_data_of(viewer, "views").await;
    assert_eq!((held.len(), &held[0]["post_id"]), (1, &seen["id"]));
    let window = ViewWindow { view_window: 1_800 };
    while PostView::delete_expired(&platform.app.db, window).await.unwrap() {}
    assert_eq!(platform.personal_data_of(author, "views").await, Vec::<Value>::new(), "what is over is not kept");
    platform.erase(viewer).await;
    assert_eq!(platform.personal_data_of(viewer, "views").await, Vec::<Value>::new());
}

#[sqlx::test(migrations = false)]
async fn every_view_counts_for_the_score_when_there_is_no_window(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = start(database).await;
    let platform = platform.beside(&["--view-window", "0"]);
    let (bert, _) = new_user();
    let seen = post(new_user().1, "POSTED");
    service.add_post(&seen);
    for _ in 0..3 {
        assert_eq!(platform.call("GET", &format!("/{}/view", id(&seen)), Some(&bert), None).await.status, 200);
    }
    let published = platform.published(POST_VIEWED).await;
    assert_eq!(published.len(), 3);
    assert!(published.iter().all(|view| view.get("repeated").is_none()), "{published:?}");
}

#[sqlx::test(migrations = false)]
async fn the_event_of_a_view_holds_only_the_beginning_of_a_long_post(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = start(database).await;
    let (bert, _) = new_user();
    let mut seen = post(new_user().1, "POSTED");
    seen["content"] = json!("\u{1F600}".repeat(10_000));
    service.add_post(&seen);
    let answer = platform.call("GET", &format!("/{}/view", id(&seen)), Some(&bert), None).await.body;
    assert_eq!(answer["content"], seen["content"], "the viewer reads all of it");
    let mut expected = answer;
    expected["content"] = json!("\u{1F600}".repeat(100));
    let published = platform.published(POST_VIEWED).await;
    assert_eq!(published, [expected]);
    // 40 kB of content would be 120 kB in the escapes of the stream.
    assert!(serde_json::to_string(&published[0]).unwrap().len() < 2_000);
}

//! Views, through their route and their event.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::events::POST_VIEWED;
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

    // The post service counts, and this service stores nothing: a second view counts, and so does the author's own.
    seen["total_views"] = json!(7);
    service.add_post(&seen);
    let second = platform.call("GET", &path, Some(&bert), None).await.body;
    let own = platform.call("GET", &path, Some(&anna), None).await.body;
    assert_eq!((&second["total_views"], &own["total_views"]), (&json!(8), &json!(8)));
    assert_eq!((&second["viewed_by"], &own["viewed_by"]), (&json!(viewer), &json!(author)));
    assert_eq!(platform.published(POST_VIEWED).await, [first.body, second, own]);
    assert_eq!(service.calls(), 3);
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

//! What is held about people, and its end.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::events::{USER_BLOCKED, USER_DELETED, USER_ERASED, USER_UNBLOCKED};
use crate::SERVICE;
use crate::core::testing::{Platform, somebody};
use crate::posts::events::POST_DELETED;

#[sqlx::test(migrations = false)]
async fn who_leaves_takes_every_word_along(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, her), (bert, _)) = (somebody(), somebody());
    let write = async |token: &str, words: &str| {
        let post = json!({ "title": words, "content": words, "types": ["NEWS"], "status": "POSTED" });
        let reply = platform.call("POST", "/posts", Some(token), Some(post)).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.body["id"].clone()
    };
    let hers = [write(&anna, "Annasword").await, write(&anna, "Annasword again").await];
    write(&bert, "Bertsword").await;
    for stream in SERVICE.tells {
        platform.told(stream).await;
    }
    assert_eq!(platform.finds("Annasword").await, ["post.outbox", "post.post", "post.post_nft", "post_created"]);

    let held = platform.held_about(her, "posts").await;
    assert_eq!(held.iter().map(|post| &post["id"]).collect::<Vec<_>>(), [&hers[1], &hers[0]]);
    assert_eq!((&held[0]["title"], &held[0]["types"]), (&json!("Annasword again"), &json!(["NEWS"])));
    assert_eq!(platform.held_about(her, "nft_records").await.len(), 2);

    platform.hear(USER_DELETED, &json!({ "id": her, "deleted_at": "2026-11-20T12:00:00+00:00" })).await;
    platform.erase(her).await;
    assert_eq!(platform.finds("Annasword").await, [""; 0]);
    assert_eq!(platform.told(USER_ERASED).await, [json!({ "user_id": her })]);
    let gone = platform.told(POST_DELETED).await;
    assert_eq!(gone.iter().map(|post| &post["id"]).collect::<Vec<_>>(), [&hers[0], &hers[1]]);
    assert_eq!((&gone[0]["title"], &gone[0]["content"]), (&json!(null), &json!("")));
    assert_eq!(platform.finds("Bertsword").await, ["post.outbox", "post.post", "post.post_nft", "post_created"]);
}

#[sqlx::test(migrations = false)]
async fn who_has_blocked_somebody_and_they_do_not_see_each_other(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, her), (bert, him)) = (somebody(), somebody());
    let write = async |token: &str| {
        let post = json!({ "content": "x", "types": [], "status": "POSTED" });
        platform.call("POST", "/posts", Some(token), Some(post)).await.body["id"].clone()
    };
    let (hers, his) = (write(&anna).await, write(&bert).await);
    let sees = async |token: &str, post: &Value| {
        let read = platform.call("GET", &format!("/posts/{}", post.as_str().unwrap()), Some(token), None).await;
        let list = platform.call("GET", "/posts", Some(token), None).await.body;
        let listed = list.as_array().unwrap().iter().any(|listed| listed["id"] == *post);
        assert_eq!(read.status == 200, listed, "the list and the post say the same");
        listed
    };
    let link = |at: &str| json!({ "user_id": her, "target_id": him, "at": format!("2026-11-20T12:00:0{at}+00:00") });
    platform.hear(USER_BLOCKED, &link("1")).await;
    assert_eq!([sees(&anna, &his).await, sees(&bert, &hers).await], [false, false]);
    assert_eq!([sees(&anna, &hers).await, sees(&bert, &his).await], [true, true]);
    let (stranger, _) = somebody();
    assert!(sees(&stranger, &hers).await);
    // The end of a later block overtakes its beginning: nothing stands in the end.
    platform.hear(USER_UNBLOCKED, &link("5")).await;
    platform.hear(USER_BLOCKED, &link("3")).await;
    assert_eq!([sees(&anna, &his).await, sees(&bert, &hers).await], [true, true]);
}

#[sqlx::test(migrations = false)]
async fn a_moderator_deletes_what_others_wrote_and_it_is_noted(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, her), (_, moderator)) = (somebody(), somebody());
    let post = json!({ "content": "x", "types": [], "status": "POSTED" });
    let post = platform.call("POST", "/posts", Some(&anna), Some(post)).await.body;
    let path = format!("/posts/{}", post["id"].as_str().unwrap());
    let stranger = format!("{}:ACTIVE:USER", Uuid::now_v7());
    assert_eq!(platform.call("DELETE", &path, Some(&stranger), None).await.status, 404);
    let token = format!("{moderator}:ACTIVE:MODERATOR");
    assert_eq!(platform.call("DELETE", &path, Some(&token), None).await.status, 204);
    let noted =
        sqlx::query!("select who, action, target, result from audit").fetch_one(&platform.app.db).await.unwrap();
    assert_eq!((noted.who, noted.target), (Some(moderator), Some(her)));
    assert_eq!((noted.action.as_str(), noted.result.as_str()), ("post_deleted", "by moderator"));
}

//! Blocks, through their events and the routes of comments and reactions.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::events::{USER_BLOCKED, USER_UNBLOCKED};
use crate::core::testing::new_user;
use crate::posts::events::POST_CREATED;
use crate::posts::testing::{comment, post, start};

#[sqlx::test(migrations = false)]
async fn a_block_hides_the_two_users_content_from_each_other(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let ((anna, her), (bert, him), (carl, _)) = (new_user(), new_user(), new_user());
    let post = post(her, "POSTED");
    platform.consume(POST_CREATED, &post).await;
    let hers = comment(&platform, &anna, &post, "hers").await.body["id"].clone();
    let his = comment(&platform, &bert, &post, "his").await.body["id"].clone();
    let path = format!("/{}", post["id"].as_str().unwrap());
    platform.call("POST", &format!("{path}/post-reactions"), Some(&bert), Some(json!({}))).await;
    let listed = async |token: &str, kind: &str| {
        let reply = platform.call("GET", &format!("{path}/{kind}"), Some(token), None).await;
        reply.body.as_array().map(|list| list.iter().map(|item| item["id"].clone()).collect::<Vec<_>>())
    };
    let reads = async |token: &str, comment: &Value| {
        platform.call("GET", &format!("/comments/{}", comment.as_str().unwrap()), Some(token), None).await.status == 200
    };
    assert_eq!(listed(&anna, "comments").await, Some(vec![his.clone(), hers.clone()]));

    let link = json!({ "user_id": him, "target_id": her, "at": "2026-11-20T12:00:00+00:00" });
    platform.consume(USER_BLOCKED, &link).await;
    assert_eq!(listed(&anna, "comments").await, Some(vec![hers.clone()]));
    assert_eq!(listed(&anna, "post-reactions").await, Some(vec![]));
    assert_eq!(listed(&bert, "comments").await, None, "the post does not exist for him, nor do its comments");
    assert_eq!([reads(&anna, &his).await, reads(&bert, &hers).await, reads(&carl, &his).await], [false, false, true]);
    let refused =
        platform.call("POST", &format!("{path}/comments"), Some(&bert), Some(json!({ "content": "x" }))).await;
    assert_eq!(refused.status, 404);

    let later = json!({ "user_id": him, "target_id": her, "at": "2026-11-20T12:00:01+00:00" });
    platform.consume(USER_UNBLOCKED, &later).await;
    assert_eq!(listed(&bert, "comments").await, Some(vec![his, hers]));
}

//! Reactions to comments, through their routes and their events.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::events::{COMMENT_REACTION_CREATED, COMMENT_REACTION_DELETED, COMMENT_REACTION_UPDATED};
use crate::blocks::events::USER_BLOCKED;
use crate::comments::events::COMMENT_DELETE_REQUESTED;
use crate::comments::tests::{path, start_with_post};
use crate::core::testing::new_user;
use crate::posts::testing::{changed, comment, id, names, refusal};

/// A user has one reaction to a comment, changes its type and takes it back, and each step is published once.
#[sqlx::test(migrations = false)]
async fn a_reaction_is_put_changed_and_taken_back(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let ((anna, _), (bert, user)) = (new_user(), new_user());
    let said = comment(&platform, &anna, &post, "said").await.body;
    let reactions = format!("{}/reactions", path(&said));
    let put = async |body: Value| platform.call("PUT", &reactions, Some(&bert), Some(body)).await;
    let made = put(json!({})).await;
    assert_eq!(made.status, 200);
    let fields = ["id", "created_at", "created_by", "updated_at", "updated_by", "comment_id", "post_id", "type"];
    assert_eq!(names(&made.body), fields);
    assert_eq!((&made.body["created_by"], &made.body["type"]), (&json!(user), &json!("LIKE")));
    assert_eq!((&made.body["comment_id"], &made.body["post_id"]), (&said["id"], &post["id"]));
    assert_eq!(put(json!({ "type": "LIKE" })).await.body, made.body, "a repeated request changes nothing");
    let other = put(json!({ "type": "SAD" })).await.body;
    assert_eq!((&other["id"], &other["type"], &other["updated_by"]), (&made.body["id"], &json!("SAD"), &json!(user)));
    assert_eq!(put(json!({ "type": "HATE" })).await.status, 422);
    assert_eq!(put(json!({ "type": null })).await.status, 422);
    assert_eq!(put(json!({ "kind": "SAD" })).await.status, 422);

    // Lists and the comment itself say how many there are, and which is the reader's.
    let list = platform.call("GET", &format!("/{}/comments", id(&post)), Some(&bert), None).await.body;
    assert_eq!((&list[0]["total_reactions"], &list[0]["my_reaction"]), (&json!(1), &json!("SAD")));
    let read = platform.call("GET", &path(&said), Some(&anna), None).await.body;
    assert_eq!((&read["total_reactions"], &read["my_reaction"]), (&json!(1), &Value::Null));
    assert_eq!(platform.call("GET", &reactions, Some(&anna), None).await.body, json!([other]));

    assert_eq!(platform.call("DELETE", &reactions, Some(&anna), None).await.status, 404, "it is not theirs");
    assert_eq!(platform.call("DELETE", &reactions, Some(&bert), None).await.status, 204);
    let again = platform.call("DELETE", &reactions, Some(&bert), None).await;
    assert_eq!(refusal(&again), (404, &json!("Comment reaction not found")));
    assert_eq!(platform.call("GET", &path(&said), Some(&bert), None).await.body, said);
    assert_eq!(platform.published(COMMENT_REACTION_CREATED).await, [made.body]);
    assert_eq!(platform.published(COMMENT_REACTION_UPDATED).await, std::slice::from_ref(&other));
    assert_eq!(platform.published(COMMENT_REACTION_DELETED).await, [other]);
}

/// Of many first reactions of one user at once, one is created.
#[sqlx::test(migrations = false)]
async fn of_reactions_at_once_one_is_created(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let (anna, _) = new_user();
    let said = comment(&platform, &anna, &post, "said").await.body;
    let reactions = format!("{}/reactions", path(&said));
    let puts = (0..8).map(|_| platform.call("PUT", &reactions, Some(&anna), Some(json!({ "type": "JOY" }))));
    let replies = futures::future::join_all(puts).await;
    assert!(replies.iter().all(|reply| reply.body == replies[0].body && reply.status == 200), "{replies:?}");
    assert_eq!(platform.published(COMMENT_REACTION_CREATED).await.len(), 1);
    assert_eq!(platform.published(COMMENT_REACTION_UPDATED).await, Vec::<Value>::new());
}

/// What a user may not see they cannot react to; their own reaction they can take back at any time.
#[sqlx::test(migrations = false)]
async fn what_is_not_visible_cannot_be_reacted_to(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let ((anna, author), (bert, user), (carl, _)) = (new_user(), new_user(), new_user());
    let said = comment(&platform, &anna, &post, "said").await.body;
    let reactions = format!("{}/reactions", path(&said));
    let put = async |token: &str| platform.call("PUT", &reactions, Some(token), Some(json!({}))).await.status.as_u16();
    assert_eq!((put(&bert).await, put(&carl).await), (200, 200));
    let block = json!({ "user_id": author, "target_id": user, "at": "2026-11-20T12:00:00+00:00" });
    platform.consume(USER_BLOCKED, &block).await;
    assert_eq!((put(&bert).await, put(&carl).await), (404, 200));
    let seen = platform.call("GET", &reactions, Some(&anna), None).await.body;
    assert_eq!(seen.as_array().unwrap().len(), 1, "who is blocked is not listed");
    assert_eq!(platform.call("DELETE", &reactions, Some(&bert), None).await.status, 204);

    let request = json!({ "content_id": said["id"], "raw_content": {}, "reason": "NUDITY" });
    platform.consume(COMMENT_DELETE_REQUESTED, &request).await;
    assert_eq!(put(&carl).await, 404, "it is hidden");
    let other = comment(&platform, &anna, &post, "other").await.body;
    platform.consume("post_updated", &changed(&post, "ARCHIVED")).await;
    let reply = platform.call("PUT", &format!("{}/reactions", path(&other)), Some(&carl), Some(json!({}))).await;
    assert_eq!(refusal(&reply), (404, &json!("Post comment not found")), "its post is archived");
}

/// A user's reactions are exported, and erased with them.
#[sqlx::test(migrations = false)]
async fn reactions_are_exported_and_erased(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let ((anna, _), (bert, user)) = (new_user(), new_user());
    let said = comment(&platform, &anna, &post, "said").await.body;
    let reactions = format!("{}/reactions", path(&said));
    let made = platform.call("PUT", &reactions, Some(&bert), Some(json!({ "type": "LOVE" }))).await.body;
    let held = platform.personal_data_of(user, "comment_reactions").await;
    assert_eq!((held.len(), &held[0]["comment_id"], &held[0]["type"]), (1, &said["id"], &json!("LOVE")));
    platform.erase(user).await;
    assert_eq!(platform.personal_data_of(user, "comment_reactions").await, Vec::<Value>::new());
    assert_eq!(platform.published(COMMENT_REACTION_DELETED).await, [made]);
    assert_eq!(platform.call("GET", &path(&said), Some(&anna), None).await.body, said);
}

//! What is held about people, and its end.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::events::{USER_BLOCKED, USER_DELETED, USER_ERASED, USER_UNBLOCKED};
use crate::SERVICE;
use crate::comments::events::COMMENT_DELETED;
use crate::core::testing::somebody;
use crate::posts::events::POST_CREATED;
use crate::posts::testing::{comment, post, start};
use crate::reactions::events::REACTION_DELETED;

#[sqlx::test(migrations = false)]
async fn who_leaves_takes_every_word_along(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let ((anna, her), (bert, _)) = (somebody(), somebody());
    let post = post(somebody().1, "POSTED");
    platform.hear(POST_CREATED, &post).await;
    let said = comment(&platform, &anna, &post, "Annasword").await.body;
    comment(&platform, &bert, &post, "Bertsword").await;
    let react = format!("/{}/post-reactions", post["id"].as_str().unwrap());
    let reaction = platform.call("POST", &react, Some(&anna), Some(json!({ "type": "LOVE" }))).await.body;
    for stream in SERVICE.tells {
        platform.told(stream).await;
    }
    let places = ["interaction.comment", "interaction.comment_nft", "interaction.outbox", "post_comment_created"];
    assert_eq!(platform.finds("Annasword").await, places);
    let [comments, nfts, reactions] = [
        platform.held_about(her, "comments").await,
        platform.held_about(her, "nft_records").await,
        platform.held_about(her, "reactions").await,
    ];
    assert_eq!((comments.len(), nfts.len(), reactions.len()), (1, 1, 1));
    assert_eq!((&comments[0]["content"], &reactions[0]["type"]), (&json!("Annasword"), &json!("LOVE")));

    platform.hear(USER_DELETED, &json!({ "id": her, "deleted_at": "2026-11-20T12:00:00+00:00" })).await;
    platform.erase(her).await;
    assert_eq!(platform.finds("Annasword").await, [""; 0]);
    assert_eq!(platform.finds("Bertsword").await, places);
    assert_eq!(platform.told(USER_ERASED).await, [json!({ "user_id": her })]);
    let gone = platform.told(COMMENT_DELETED).await;
    assert_eq!((gone.len(), &gone[0]["id"], &gone[0]["content"]), (1, &said["id"], &json!("")));
    assert_eq!(platform.told(REACTION_DELETED).await[0]["id"], reaction["id"]);
}

#[sqlx::test(migrations = false)]
async fn who_has_blocked_somebody_and_they_do_not_see_each_other(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let ((anna, her), (bert, him), (carl, _)) = (somebody(), somebody(), somebody());
    let post = post(her, "POSTED");
    platform.hear(POST_CREATED, &post).await;
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
    platform.hear(USER_BLOCKED, &link).await;
    assert_eq!(listed(&anna, "comments").await, Some(vec![hers.clone()]));
    assert_eq!(listed(&anna, "post-reactions").await, Some(vec![]));
    assert_eq!(listed(&bert, "comments").await, None, "the post is not there for him, nor what was said about it");
    assert_eq!([reads(&anna, &his).await, reads(&bert, &hers).await, reads(&carl, &his).await], [false, false, true]);
    let refused =
        platform.call("POST", &format!("{path}/comments"), Some(&bert), Some(json!({ "content": "x" }))).await;
    assert_eq!(refused.status, 404);

    let later = json!({ "user_id": him, "target_id": her, "at": "2026-11-20T12:00:01+00:00" });
    platform.hear(USER_UNBLOCKED, &later).await;
    assert_eq!(listed(&bert, "comments").await, Some(vec![his, hers]));
}

#[sqlx::test(migrations = false)]
async fn a_moderator_deletes_what_others_said_and_it_is_noted(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let (anna, her) = somebody();
    let post = post(somebody().1, "POSTED");
    platform.hear(POST_CREATED, &post).await;
    let said = comment(&platform, &anna, &post, "x").await.body;
    let path = format!("/comments/{}", said["id"].as_str().unwrap());
    assert_eq!(platform.call("DELETE", &path, Some(&somebody().0), None).await.status, 404);
    let moderator = Uuid::now_v7();
    let token = format!("{moderator}:ACTIVE:MODERATOR");
    assert_eq!(platform.call("DELETE", &path, Some(&token), None).await.status, 204);
    let noted = sqlx::query!("select who, action, target from audit").fetch_one(&platform.app.db).await.unwrap();
    assert_eq!((noted.who, noted.target, noted.action.as_str()), (Some(moderator), Some(her), "comment_deleted"));
}

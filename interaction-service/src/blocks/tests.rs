//! Blocks, through their events and the routes of comments and reactions.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Row};
use uuid::Uuid;

use super::events::{USER_BLOCKED, USER_UNBLOCKED};
use super::models::delete_blocks;
use crate::core::testing::new_user;
use crate::post_views::events::POST_VIEWED;
use crate::posts::events::{POST_CREATED, POST_DELETED, POST_UPDATED};
use crate::posts::testing::{changed, comment, post, react, start};

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

/// What a user may try on another one's post, and on their own comment and reaction there: method, path, body.
fn attempts(post: &Value, comment: &str, reaction: &str) -> Vec<(&'static str, String, Option<Value>)> {
    let post = post["id"].as_str().unwrap();
    let (text, kind) = (json!({ "content": "more" }), json!({ "type": "ANGRY" }));
    vec![
        ("GET", format!("/{post}/comments"), None),
        ("POST", format!("/{post}/comments"), Some(text.clone())),
        ("GET", format!("/comments/{comment}"), None),
        ("PUT", format!("/comments/{comment}"), Some(text)),
        ("GET", format!("/{post}/post-reactions"), None),
        ("POST", format!("/{post}/post-reactions"), Some(kind.clone())),
        ("GET", format!("/post-reactions/{reaction}"), None),
        ("PUT", format!("/post-reactions/{reaction}"), Some(kind)),
        ("GET", format!("/{post}/view"), None),
    ]
}

#[sqlx::test(migrations = false)]
async fn a_blocked_user_writes_nothing_under_the_blockers_post(_: PgPoolOptions, database: PgConnectOptions) {
    // The block of either user hides the post, as its withdrawal does, whatever the post service still answers.
    let (platform, service) = start(database).await;
    for hidden_by in ["the author", "the user", "a draft", "an archive", "a deletion"] {
        let ((bert, him), (carl, _), (_, her)) = (new_user(), new_user(), new_user());
        let seen = post(her, "POSTED");
        service.add_post(&seen);
        platform.consume(POST_CREATED, &seen).await;
        let comment = comment(&platform, &bert, &seen, "polite").await.body["id"].as_str().unwrap().to_owned();
        let reaction = react(&platform, &bert, &seen, "LIKE").await.body["id"].as_str().unwrap().to_owned();
        let at = "2026-11-20T12:00:00+00:00";
        match hidden_by {
            "the author" => {
                platform.consume(USER_BLOCKED, &json!({ "user_id": her, "target_id": him, "at": at })).await
            }
            "the user" => platform.consume(USER_BLOCKED, &json!({ "user_id": him, "target_id": her, "at": at })).await,
            "a draft" => platform.consume(POST_UPDATED, &changed(&seen, "DRAFT")).await,
            "an archive" => platform.consume(POST_UPDATED, &changed(&seen, "ARCHIVED")).await,
            _ => platform.consume(POST_DELETED, &seen).await,
        };
        let unknown = post(her, "POSTED");
        let nothing = Uuid::now_v7().to_string();
        let published = platform.published(POST_VIEWED).await.len();
        let expected = attempts(&unknown, &nothing, &nothing);
        for ((method, path, body), unknown) in attempts(&seen, &comment, &reaction).into_iter().zip(expected) {
            let reply = platform.call(method, &path, Some(&bert), body).await;
            let like = platform.call(unknown.0, &unknown.1, Some(&bert), unknown.2).await;
            assert_eq!((reply.status, &reply.body), (like.status, &like.body), "{hidden_by}: {method} {path}");
            assert_eq!(reply.status, 404, "{hidden_by}: {method} {path}");
        }
        assert_eq!(platform.published(POST_VIEWED).await.len(), published, "{hidden_by}");
        if hidden_by.starts_with("the ") {
            let said = platform.call("GET", &format!("/comments/{comment}"), Some(&carl), None).await;
            assert_eq!(said.body["content"], "polite");
        }
        // One's own words can be taken back always; with a deleted post they are gone already.
        let gone = if hidden_by == "a deletion" { 404 } else { 204 };
        for path in [format!("/comments/{comment}"), format!("/post-reactions/{reaction}")] {
            assert_eq!(platform.call("DELETE", &path, Some(&bert), None).await.status, gone, "{hidden_by}: {path}");
        }
    }
}

/// A block that is consumed after one of the two was erased would bring their id back, and is not stored.
#[sqlx::test(migrations = false)]
async fn a_late_block_of_an_erased_user_is_not_stored(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await.0;
    let [anna, bert, carl] = [(); 3].map(|()| Uuid::now_v7());
    platform.erase(anna).await;
    for (user, target) in [(anna, bert), (bert, anna), (bert, carl)] {
        let link = json!({ "user_id": user, "target_id": target, "at": "2026-11-20T12:00:01+00:00" });
        platform.consume(USER_BLOCKED, &link).await;
    }
    let block = format!("{}.block", crate::SERVICE.schema);
    assert!(platform.finds(&carl.to_string()).await.contains(&block));
    assert!(!platform.finds(&anna.to_string()).await.contains(&block));
}

/// However many have blocked a user, one step of their erasure deletes a page of it.
#[sqlx::test(migrations = false)]
async fn the_blocks_of_an_erased_user_are_deleted_in_pages(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await.0;
    let anna = Uuid::now_v7();
    for pair in [format!("'{anna}', gen_random_uuid()"), format!("gen_random_uuid(), '{anna}'")] {
        let rows = format!(
            "insert into block (user_id, target_id, stands, at) select {pair}, true, now() from generate_series(1, 3)"
        );
        platform.app.db.execute(AssertSqlSafe(rows)).await.unwrap();
    }
    platform
        .app
        .db
        .execute("insert into block select gen_random_uuid(), gen_random_uuid(), true, now()")
        .await
        .unwrap();
    let mut tx = platform.app.db.begin().await.unwrap();
    for (more, left) in [(true, 3), (true, 1), (false, 1)] {
        assert_eq!(delete_blocks(&mut tx, anna, 2).await.unwrap(), more);
        let rows = tx.fetch_one("select count(*) from block").await.unwrap();
        assert_eq!(rows.get::<i64, _>(0), left);
    }
}

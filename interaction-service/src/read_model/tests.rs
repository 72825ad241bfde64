//! What other services copy, through its routes.
use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::comments::events::COMMENT_DELETE_REQUESTED;
use crate::core::testing::{Platform, new_user};
use crate::posts::events::POST_CREATED;
use crate::posts::testing::{comment, id, post, react, start};

/// The items of all pages, with two items a page.
async fn copied(platform: &Platform, kind: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let request = Request::get(format!("/internal/read-model/{kind}?limit=2{cursor}"));
        let request = request.header(header::AUTHORIZATION, "Bearer operator").body(Body::empty()).unwrap();
        let page = platform.send(request).await;
        assert_eq!(page.status, 200, "{page:?}");
        assert!(page.body["as_of"].is_string() && page.body["watermarks"] == json!({}), "{page:?}");
        let Some(next) = page.body["next"].as_str() else { return items };
        cursor = format!("&cursor={next}");
        items.extend(page.body["items"].as_array().unwrap().clone());
    }
}

#[sqlx::test(migrations = false)]
async fn comments_and_reactions_are_read_whole_in_pages(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let post = post(new_user().1, "POSTED");
    platform.consume(POST_CREATED, &post).await;
    let (mut comments, mut reactions) = (Vec::new(), Vec::new());
    for kind in ["LIKE", "SAD", "JOY", "LOVE", "ANGRY"] {
        let (token, user) = new_user();
        let made = comment(&platform, &token, &post, "a word").await.body;
        comments.push(json!({ "id": made["id"], "created_at": made["created_at"], "created_by": user,
            "updated_at": made["updated_at"], "post_id": post["id"], "reply_to": null, "hidden_at": null }));
        let made = react(&platform, &token, &post, kind).await.body;
        reactions.push(json!({ "id": made["id"], "created_at": made["created_at"], "created_by": user,
            "updated_at": made["updated_at"], "post_id": post["id"], "type": kind }));
        if kind == "ANGRY" {
            platform.call("DELETE", &format!("/post-reactions/{}", id(&made)), Some(&token), None).await;
            reactions.pop();
        }
    }
    assert_eq!(copied(&platform, "comments").await, comments, "who and where, without the words");
    assert_eq!(copied(&platform, "reactions").await, reactions);
    let request = json!({ "content_id": comments[3]["id"], "raw_content": {}, "reason": "NUDITY" });
    platform.consume(COMMENT_DELETE_REQUESTED, &request).await;
    let read = copied(&platform, "comments").await;
    assert_eq!(read.len(), 5, "a hidden comment is kept");
    assert!(read[3]["hidden_at"].is_string() && read[2]["hidden_at"].is_null(), "{read:?}");
}

/// Reactions to comments and the threads of replies are read as well.
#[sqlx::test(migrations = false)]
async fn reactions_to_comments_are_read_whole_in_pages(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let post = post(new_user().1, "POSTED");
    platform.consume(POST_CREATED, &post).await;
    let first = comment(&platform, &new_user().0, &post, "a word").await.body;
    let path = format!("/{}/comments", id(&post));
    let reply = json!({ "content": "x", "reply_to": first["id"] });
    platform.call("POST", &path, Some(&new_user().0), Some(reply)).await;
    let comments = copied(&platform, "comments").await;
    assert_eq!((&comments[0]["reply_to"], &comments[1]["reply_to"]), (&Value::Null, &first["id"]));
    let mut expected = Vec::new();
    for kind in ["LIKE", "SAD", "JOY"] {
        let (token, user) = new_user();
        let path = format!("/comments/{}/reactions", id(&first));
        let made = platform.call("PUT", &path, Some(&token), Some(json!({ "type": kind }))).await.body;
        expected.push(json!({ "id": made["id"], "created_at": made["created_at"], "created_by": user,
            "updated_at": made["updated_at"], "comment_id": first["id"], "post_id": post["id"], "type": kind }));
    }
    assert_eq!(copied(&platform, "comment-reactions").await, expected);
}

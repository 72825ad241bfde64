//! Histories of posts, through their route.
use axum::http::header;
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::SERVICE;
use crate::blocks::events::USER_BLOCKED;
use crate::core::testing::{Platform, new_user};
use crate::posts::events::{POST_DELETE_REQUESTED, POST_UPDATED, POST_VIEWED};

async fn put(platform: &Platform, author: &str, post: &Value, body: Value) -> Value {
    let reply = platform.call("PUT", &path(post), Some(author), Some(body)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

fn path(post: &Value) -> String {
    format!("/posts/{}", post["id"].as_str().unwrap())
}

/// The history as it is where each version has stood for long enough.
async fn history(platform: &Platform, reader: &str, post: &Value) -> Value {
    platform.app.db.execute("update post_version set brief = false").await.unwrap();
    let reply = platform.call("GET", &format!("{}/history", path(post)), Some(reader), None).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

/// An edit of what readers have read keeps what they have read; a draft, a repetition and a view keep nothing.
#[sqlx::test(migrations = false)]
async fn an_edit_keeps_the_version_before(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, her), (ben, _)) = (new_user(), new_user());
    let draft = json!({ "title": "First", "content": "one", "types": ["NEWS"] });
    let post = platform.call("POST", "/posts", Some(&anna), Some(draft)).await.body;
    put(&platform, &anna, &post, json!({ "content": "two", "types": ["NEWS"] })).await;
    let published =
        put(&platform, &anna, &post, json!({ "content": "two", "types": ["NEWS"], "status": "POSTED" })).await;
    assert_eq!((published.get("edited_at"), history(&platform, &ben, &post).await), (None, json!([])));

    let same = put(&platform, &anna, &post, json!({ "content": "two", "types": ["NEWS"] })).await;
    assert_eq!(same.get("edited_at"), None, "nothing was edited");
    let edited = put(&platform, &anna, &post, json!({ "content": "three", "types": ["NEWS"] })).await;
    assert_eq!(edited["edited_at"], edited["updated_at"]);
    assert_eq!(platform.published(POST_UPDATED).await.last().unwrap(), &edited);
    let again = put(&platform, &anna, &post, json!({ "title": "Second", "content": "three", "types": [] })).await;
    let versions = history(&platform, &ben, &post).await;
    let expected = json!([
        { "id": versions[0]["id"], "replaced_at": again["edited_at"], "title": "First", "content": "three", "types": ["NEWS"] },
        { "id": versions[1]["id"], "replaced_at": edited["edited_at"], "title": "First", "content": "two", "types": ["NEWS"] },
    ]);
    assert_eq!(versions, expected);
    platform.consume(POST_VIEWED, &post).await;
    let read = platform.call("GET", &path(&post), Some(&ben), None).await.body;
    assert_eq!((&read["edited_at"], &read["total_views"]), (&again["edited_at"], &json!(1)));

    let page = platform.call("GET", &format!("{}/history?limit=1", path(&post)), Some(&ben), None).await;
    let link = page.headers[header::LINK].to_str().unwrap();
    let link = link.strip_prefix("</api/v1").unwrap().strip_suffix(">; rel=\"next\"").unwrap();
    assert_eq!(platform.call("GET", link, Some(&ben), None).await.body, json!([expected[1]]));

    let held = platform.personal_data_of(her, "post_versions").await;
    assert_eq!(held.iter().map(|version| &version["content"]).collect::<Vec<_>>(), [&json!("three"), &json!("two")]);
    platform.consume("user_deleted", &json!({ "id": her, "deleted_at": "2026-11-20T12:00:00+00:00" })).await;
    platform.erase(her).await;
    assert_eq!(platform.personal_data_of(her, "post_versions").await, [json!(null); 0]);
}

/// What was written while no other user could read the post is in no history, and its last public words are there once.
#[sqlx::test(migrations = false)]
async fn a_history_has_public_words_alone(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, _), (ben, _)) = (new_user(), new_user());
    let body = json!({ "content": "one", "types": [], "status": "POSTED" });
    let post = platform.call("POST", "/posts", Some(&anna), Some(body)).await.body;
    let keep = async |content: &str| put(&platform, &anna, &post, json!({ "content": content, "types": [] })).await;
    let set = async |content: &str, status: &str| {
        put(&platform, &anna, &post, json!({ "content": content, "types": [], "status": status })).await
    };
    let said = async |reader: &str| -> Vec<String> {
        let versions = history(&platform, reader, &post).await;
        let contents =
            versions.as_array().unwrap().iter().map(|version| version["content"].as_str().unwrap().to_owned());
        contents.collect()
    };
    set("one", "ARCHIVED").await;
    assert_eq!(said(&anna).await, [""; 0], "it still says so");
    keep("a secret").await;
    keep("another secret").await;
    assert_eq!(said(&anna).await, ["one"]);
    set("two", "POSTED").await;
    assert_eq!(said(&ben).await, ["one"]);
    // Withdrawn and published again as it was, it was not edited.
    set("two", "ARCHIVED").await;
    set("two", "POSTED").await;
    assert_eq!(said(&ben).await, ["one"]);
    keep("three").await;
    assert_eq!(said(&ben).await, ["two", "one"]);
    // Words that come with the withdrawal are not public either.
    set("a third secret", "ARCHIVED").await;
    set("four", "POSTED").await;
    assert_eq!(said(&ben).await, ["three", "two", "one"]);
    set("four", "DRAFT").await;
    keep("a fourth secret").await;
    set("five", "POSTED").await;
    assert_eq!(said(&ben).await, ["four", "three", "two", "one"]);
}

/// Words that stood for less than a minute are read by their author and by moderators alone, since moderation may not have read them; those
/// that stood longer by all, however their author replaces them.
#[sqlx::test(migrations = false)]
async fn words_that_are_replaced_at_once_are_in_no_history_of_others(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, _), (ben, _), (judge, _)) = (new_user(), new_user(), new_user());
    let judge = format!("{judge}:ACTIVE:MODERATOR");
    let body = |content: &str, status: &str| json!({ "content": content, "types": [], "status": status });
    let post = platform.call("POST", "/posts", Some(&anna), Some(body("hateful", "POSTED"))).await.body;
    let say = async |content: &str, status: &str| put(&platform, &anna, &post, body(content, status)).await;
    let said = async |reader: &str| -> Vec<String> {
        let reply = platform.call("GET", &format!("{}/history", path(&post)), Some(reader), None).await;
        let versions = reply.body.as_array().unwrap().iter();
        versions.map(|version| version["content"].as_str().unwrap().to_owned()).collect()
    };
    let pass = async || {
        let pass = "update post set published_at = published_at - interval '1 hour',
            worded_at = worded_at - interval '1 hour'";
        platform.app.db.execute(pass).await.unwrap();
    };
    say("kind", "POSTED").await;
    assert_eq!(said(&ben).await, [""; 0]);
    assert_eq!(said(&anna).await, ["hateful"]);
    assert_eq!(said(&judge).await, ["hateful"]);
    // Saved again as they are, the words have stood for as long as before.
    pass().await;
    say("kind", "POSTED").await;
    say("kinder", "POSTED").await;
    assert_eq!(said(&ben).await, ["kind"]);
    // Nor are they taken out of the history by publishing them anew for a moment.
    pass().await;
    for (content, status) in [("kinder", "ARCHIVED"), ("kinder", "POSTED"), ("cruel", "POSTED")] {
        say(content, status).await;
    }
    assert_eq!(said(&ben).await, ["kinder", "kind"]);
    // The time that a post is withdrawn does not count.
    say("cruel", "ARCHIVED").await;
    pass().await;
    say("cruel", "POSTED").await;
    say("kindest", "POSTED").await;
    assert_eq!(said(&ben).await, ["kinder", "kind"]);
    assert_eq!(said(&anna).await, ["cruel", "kinder", "kind", "hateful"]);
}

/// Who cannot read a post cannot read what it said before.
#[sqlx::test(migrations = false)]
async fn a_history_is_as_visible_as_its_post(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, her), (ben, his)) = (new_user(), new_user());
    let body = json!({ "content": "one", "types": [], "status": "POSTED" });
    let post = platform.call("POST", "/posts", Some(&anna), Some(body)).await.body;
    put(&platform, &anna, &post, json!({ "content": "two", "types": [] })).await;
    let status = async |reader: &str| {
        platform.call("GET", &format!("{}/history", path(&post)), Some(reader), None).await.status.as_u16()
    };
    assert_eq!((status(&anna).await, status(&ben).await), (200, 200));
    put(&platform, &anna, &post, json!({ "content": "two", "types": [], "status": "ARCHIVED" })).await;
    assert_eq!((status(&anna).await, status(&ben).await), (200, 404));
    put(&platform, &anna, &post, json!({ "content": "two", "types": [], "status": "POSTED" })).await;
    let block = json!({ "user_id": her, "target_id": his, "at": "2026-11-20T12:00:00+00:00" });
    platform.consume(USER_BLOCKED, &block).await;
    assert_eq!((status(&anna).await, status(&ben).await), (200, 404));
    let request = json!({ "content_id": post["id"], "raw_content": post, "reason": "NUDITY" });
    platform.consume(POST_DELETE_REQUESTED, &request).await;
    assert_eq!((status(&anna).await, status(&ben).await), (404, 404));
    let unknown = platform.call("GET", &format!("/posts/{}/history", Uuid::now_v7()), Some(&anna), None).await;
    assert_eq!((unknown.status.as_u16(), &unknown.body["detail"]), (404, &json!("Post object not found")));
}

/// An author who edits without end fills no disk, and edits at the same time keep each other's words.
#[sqlx::test(migrations = false)]
async fn a_history_is_bounded_and_complete(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let body = |text: &str| json!({ "content": text, "types": [], "status": "POSTED" });
    let post = platform.call("POST", "/posts", Some(&anna), Some(body("0"))).await.body;
    let (first, second) =
        tokio::join!(put(&platform, &anna, &post, body("1")), put(&platform, &anna, &post, body("2")));
    let versions = history(&platform, &anna, &post).await;
    let kept: Vec<_> =
        versions.as_array().unwrap().iter().map(|version| version["content"].as_str().unwrap()).collect();
    let earlier = if first["updated_at"].as_str() < second["updated_at"].as_str() { "1" } else { "2" };
    assert_eq!(kept, [earlier, "0"]);
    let many = "insert into post_version (id, post_id, created_by, replaced_at, content, types)
        select gen_random_uuid(), id, created_by, now() - make_interval(hours => n), 'old', '{}'
        from post, generate_series(1, 150) as n";
    platform.app.db.execute(many).await.unwrap();
    put(&platform, &anna, &post, body("3")).await;
    assert_eq!(history(&platform, &anna, &post).await.as_array().unwrap().len(), 50);
    let all = platform.call("GET", &format!("{}/history?limit=200", path(&post)), Some(&anna), None).await.body;
    assert_eq!(all.as_array().unwrap().len(), 100);
}

//! Threads, through their routes and their events.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::blocks::events::USER_BLOCKED;
use crate::comment_reactions::events::COMMENT_REACTION_DELETED;
use crate::comments::events::{COMMENT_CREATED, COMMENT_DELETE_REQUESTED, COMMENT_DELETED, HIDDEN_COMMENT_DELETED};
use crate::comments::tests::{path, start_with_post};
use crate::connections::events::{USER_CONNECTED, USER_DISCONNECTED};
use crate::core::testing::{Platform, Reply, new_user};
use crate::posts::events::{POST_CREATED, POST_DELETED, POST_UPDATED};
use crate::posts::testing::{changed, comment, id, post, refusal, remove_all};

async fn reply(platform: &Platform, token: &str, post: &Value, to: &Value, content: &str) -> Reply {
    let body = json!({ "content": content, "reply_to": to["id"] });
    platform.call("POST", &format!("/{}/comments", id(post)), Some(token), Some(body)).await
}

async fn get(platform: &Platform, token: &str, path: &str) -> Value {
    let reply = platform.call("GET", path, Some(token), None).await;
    assert_eq!(reply.status, 200, "{path}: {reply:?}");
    reply.body
}

fn ids(list: &Value) -> Vec<Uuid> {
    list.as_array().unwrap().iter().map(id).collect()
}

/// A reply to a reply joins the thread of the first comment, and lists say how many replies there are.
#[sqlx::test(migrations = false)]
async fn a_thread_has_one_level_and_is_read_in_pages(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let first = comment(&platform, &anna, &post, "first").await.body;
    let other = comment(&platform, &anna, &post, "other").await.body;
    let one = reply(&platform, &bert, &post, &first, "one").await;
    assert_eq!((one.status.as_u16(), &one.body["reply_to"]), (201, &first["id"]));
    let two = reply(&platform, &anna, &post, &one.body, "two").await.body;
    assert_eq!(two["reply_to"], first["id"], "a thread has one level");
    assert_eq!(platform.published(COMMENT_CREATED).await, [&first, &other, &one.body, &two].map(Value::clone));

    let all = get(&platform, &bert, &format!("/{}/comments", id(&post))).await;
    assert_eq!(ids(&all), [&two, &one.body, &other, &first].map(id), "the list of before has all comments");
    assert_eq!((&all[3]["total_replies"], &all[0]["total_replies"]), (&json!(2), &Value::Null));
    let top = get(&platform, &bert, &format!("/{}/comments?top_level=true", id(&post))).await;
    assert_eq!(ids(&top), [id(&other), id(&first)]);
    assert_eq!(get(&platform, &bert, &path(&first)).await["total_replies"], json!(2));

    let replies = format!("{}/replies", path(&first));
    let page = platform.call("GET", &format!("{replies}?limit=1"), Some(&bert), None).await;
    assert_eq!(ids(&page.body), [id(&two)]);
    let link = page.headers["link"].to_str().unwrap();
    let next = link.strip_prefix("</api/v1").unwrap().strip_suffix(">; rel=\"next\"").unwrap();
    assert_eq!(ids(&get(&platform, &bert, next).await), [id(&one.body)]);
}

/// What cannot be replied to is refused like what does not exist, and a changed comment stays in its thread.
#[sqlx::test(migrations = false)]
async fn a_reply_needs_a_visible_comment_on_the_same_post(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, here) = start_with_post(database).await;
    let ((anna, author), (bert, writer)) = (new_user(), new_user());
    let elsewhere = post(new_user().1, "POSTED");
    platform.consume(POST_CREATED, &elsewhere).await;
    let there = comment(&platform, &anna, &elsewhere, "there").await.body;
    let unknown = json!({ "id": Uuid::now_v7() });
    for to in [&there, &unknown] {
        let refused = reply(&platform, &bert, &here, to, "x").await;
        assert_eq!(refusal(&refused), (404, &json!("Post comment not found")));
    }
    for wrong in [json!("x"), json!(5), json!({}), json!([])] {
        let body = json!({ "content": "x", "reply_to": wrong });
        let refused = platform.call("POST", &format!("/{}/comments", id(&here)), Some(&bert), Some(body)).await;
        assert_eq!((refused.status.as_u16(), &refused.body["detail"][0]["loc"]), (422, &json!(["body", "reply_to"])));
    }
    let wrong = format!("/{}/comments?top_level=maybe", id(&here));
    assert_eq!(platform.call("GET", &wrong, Some(&bert), None).await.status, 422);

    let first = comment(&platform, &anna, &here, "first").await.body;
    let said = reply(&platform, &bert, &here, &first, "said").await.body;
    let moved = json!({ "content": "moved", "reply_to": null });
    assert_eq!(platform.call("PUT", &path(&said), Some(&bert), Some(moved)).await.status, 422, "it stays where it is");
    let edited = platform.call("PUT", &path(&said), Some(&bert), Some(json!({ "content": "edited" }))).await.body;
    assert_eq!((&edited["content"], &edited["reply_to"]), (&json!("edited"), &first["id"]));

    // While the first comment is hidden, its thread is closed; the reply is readable by itself.
    let request = json!({ "content_id": first["id"], "raw_content": {}, "reason": "NUDITY" });
    platform.consume(COMMENT_DELETE_REQUESTED, &request).await;
    assert_eq!(reply(&platform, &bert, &here, &said, "x").await.status, 404);
    let replies = format!("{}/replies", path(&first));
    assert_eq!(platform.call("GET", &replies, Some(&bert), None).await.status, 404);
    assert_eq!(get(&platform, &bert, &path(&said)).await["content"], "edited");

    // A block between two users lets neither reply to the other.
    let second = comment(&platform, &anna, &here, "second").await.body;
    let block = json!({ "user_id": author, "target_id": writer, "at": "2026-11-20T12:00:00+00:00" });
    platform.consume(USER_BLOCKED, &block).await;
    assert_eq!(reply(&platform, &bert, &here, &second, "x").await.status, 404);
}

/// Replies and reactions go with the first comment, and each deletion is published.
#[sqlx::test(migrations = false)]
async fn a_deleted_comment_takes_its_thread_with_it(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let ((anna, _), (bert, writer)) = (new_user(), new_user());
    let first = comment(&platform, &anna, &post, "first").await.body;
    let said = reply(&platform, &bert, &post, &first, "said").await.body;
    let hidden = reply(&platform, &bert, &post, &first, "hidden").await.body;
    let request = json!({ "content_id": hidden["id"], "raw_content": {}, "reason": "NUDITY" });
    platform.consume(COMMENT_DELETE_REQUESTED, &request).await;
    for liked in [&first, &said, &hidden] {
        platform.call("PUT", &format!("{}/reactions", path(liked)), Some(&bert), Some(json!({}))).await;
    }
    assert_eq!(platform.call("DELETE", &path(&first), Some(&bert), None).await.status, 404, "it is not theirs");
    assert_eq!(platform.call("DELETE", &path(&first), Some(&anna), None).await.status, 204);
    assert_eq!(platform.call("GET", &path(&said), Some(&bert), None).await.status, 404);
    let gone: Vec<Uuid> = platform.published(COMMENT_DELETED).await.iter().map(id).collect();
    assert_eq!(gone, [id(&hidden), id(&said), id(&first)], "that of a hidden one was published when it was hidden");
    let for_good = json!({ "id": hidden["id"], "post_id": post["id"] });
    assert_eq!(platform.published(HIDDEN_COMMENT_DELETED).await, [for_good], "and that it cannot come back, now");
    let taken = platform.published(COMMENT_REACTION_DELETED).await;
    let comments: Vec<&Value> = taken.iter().map(|reaction| &reaction["comment_id"]).collect();
    assert_eq!(comments, [&said["id"], &first["id"]], "the hidden reply could not be reacted to");

    // The same when the post is deleted, or a person leaves: the words of others go with their thread.
    let first = comment(&platform, &bert, &post, "Bertsword").await.body;
    reply(&platform, &anna, &post, &first, "answer").await;
    reply(&platform, &bert, &post, &first, "Bertsword too").await;
    platform.erase(writer).await;
    assert_eq!(platform.finds("Bertsword").await, [""; 0]);
    assert_eq!(get(&platform, &anna, &format!("/{}/comments", id(&post))).await, json!([]));
    let first = comment(&platform, &anna, &post, "last").await.body;
    let said = reply(&platform, &anna, &post, &first, "last reply").await.body;
    platform.consume(POST_DELETED, &post).await;
    remove_all(&platform).await;
    let mut gone: Vec<Uuid> = platform.published(COMMENT_DELETED).await.iter().rev().take(2).map(id).collect();
    gone.sort_unstable();
    assert_eq!(gone, [id(&first), id(&said)]);
}

/// Of a reply and the deletion of what it replies to at once, either the reply is refused or it is deleted with the rest.
#[sqlx::test(migrations = false)]
async fn no_reply_outlives_its_thread(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let (anna, _) = new_user();
    for _ in 0..5 {
        let first = comment(&platform, &anna, &post, "first").await.body;
        let replies = (0..4).map(|_| reply(&platform, &anna, &post, &first, "x"));
        let first_path = path(&first);
        let deletion = platform.call("DELETE", &first_path, Some(&anna), None);
        let (replies, deletion) = futures::future::join(futures::future::join_all(replies), deletion).await;
        assert_eq!(deletion.status, 204);
        assert!(replies.iter().all(|reply| [201, 404].contains(&reply.status.as_u16())), "{replies:?}");
    }
    assert_eq!(get(&platform, &anna, &format!("/{}/comments", id(&post))).await, json!([]));
    let made = platform.published(COMMENT_CREATED).await.len();
    assert_eq!(platform.published(COMMENT_DELETED).await.len(), made, "each that was created is deleted");
}

/// The author of a post decides who of others may comment; what was said before stays.
#[sqlx::test(migrations = false)]
async fn a_post_says_who_may_comment(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let author: Uuid = post["created_by"].as_str().unwrap().parse().unwrap();
    let (anna, bert) = (author.to_string(), new_user());
    let said = comment(&platform, &bert.0, &post, "before").await.body;
    let mut version = changed(&post, "POSTED");
    let mut limit = async |comments: &str, second: u8| {
        version["comments"] = json!(comments);
        version["updated_at"] = json!(format!("2026-11-22T00:00:0{second}+00:00"));
        platform.consume(POST_UPDATED, &version).await;
    };
    let refused = (403, json!("The author of the post has limited who may comment"));
    let may = async |token: &str| {
        let reply = comment(&platform, token, &post, "x").await;
        (reply.status.as_u16(), reply.body["detail"].clone())
    };
    limit("NOBODY", 1).await;
    assert_eq!(may(&bert.0).await, refused);
    assert_eq!(reply(&platform, &bert.0, &post, &said, "x").await.status, 403, "a reply is a comment");
    assert_eq!(may(&anna).await.0, 201, "the author may");
    assert_eq!(get(&platform, &bert.0, &path(&said)).await["content"], "before");

    limit("CONNECTIONS", 2).await;
    let link = |from: Uuid, to: Uuid, second: u8| json!({ "user_id": from, "target_id": to, "at": format!("2026-11-20T12:00:0{second}+00:00") });
    platform.consume(USER_CONNECTED, &link(bert.1, author, 1)).await;
    assert_eq!(
        may(&bert.0).await,
        refused,
        "those to whom the author is connected, or everybody could let themselves in"
    );
    platform.consume(USER_CONNECTED, &link(author, bert.1, 1)).await;
    assert_eq!(may(&bert.0).await.0, 201);
    platform.consume(USER_DISCONNECTED, &link(author, bert.1, 2)).await;
    assert_eq!(may(&bert.0).await, refused);
    limit("EVERYONE", 3).await;
    assert_eq!(may(&bert.0).await.0, 201);

    limit("LOCKED", 4).await;
    let closed = (403, json!("Moderators have closed the post for comments"));
    assert_eq!((may(&anna).await, may(&bert.0).await), (closed.clone(), closed), "its author, too");
    assert_eq!(reply(&platform, &anna, &post, &said, "x").await.status, 403);
}

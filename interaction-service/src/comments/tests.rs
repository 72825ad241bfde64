//! Comments, through their routes and their events.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::events::{
    COMMENT_CREATED, COMMENT_DELETE_COMPLETED, COMMENT_DELETE_REQUESTED, COMMENT_DELETED, COMMENT_UPDATED,
    HIDDEN_COMMENT_DELETED,
};
use super::models::Nft;
use crate::SERVICE;
use crate::core::events::consumer::Step;
use crate::core::testing::counted::Counted;
use crate::core::testing::{Platform, new_user};
use crate::posts::events::POST_CREATED;
use crate::posts::testing::{comment, id, names, post, refusal, start};
use crate::pre_publish;

/// A platform with one published post.
pub async fn start_with_post(database: PgConnectOptions) -> (Platform, Value) {
    let (platform, _) = start(database).await;
    let post = post(new_user().1, "POSTED");
    platform.consume(POST_CREATED, &post).await;
    (platform, post)
}

pub fn path(comment: &Value) -> String {
    format!("/comments/{}", id(comment))
}

async fn nft(platform: &Platform) -> Nft {
    let mut all = Nft::all(&platform.app.db).await.unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

#[sqlx::test(migrations = false)]
async fn a_comment_is_answered_as_the_original_does_and_published(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let ((anna, author), (bert, _)) = (new_user(), new_user());
    let reply = comment(&platform, &anna, &post, "Grüße 😀").await;
    assert_eq!(reply.status, 201);
    let said = reply.body;
    let fields = ["id", "created_at", "created_by", "updated_at", "updated_by", "post_id", "content"];
    assert_eq!(names(&said), fields);
    assert_eq!((&said["created_by"], &said["updated_by"]), (&json!(author), &Value::Null));
    assert_eq!((&said["post_id"], &said["content"]), (&post["id"], &json!("Grüße 😀")));
    assert_eq!(said["created_at"], said["updated_at"]);
    assert_eq!(platform.published(COMMENT_CREATED).await, std::slice::from_ref(&said));
    let read = platform.call("GET", &path(&said), Some(&bert), None).await;
    assert_eq!((read.status.as_u16(), read.body), (200, said.clone()));

    let nft = nft(&platform).await;
    assert_eq!((nft.comment_id, nft.created_by, nft.updated_by), (id(&said), author, None));
    assert_eq!((nft.status.as_str(), nft.title, nft.token_uri), ("READY_FOR_MINTING", None, None));
    let at = said["created_at"].as_str().unwrap().replace('T', " ");
    assert_eq!(nft.description, format!("Comment created by {author} at {at}"));
}

#[sqlx::test(migrations = false)]
async fn comments_are_listed_newest_first_in_pages(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let (anna, _) = new_user();
    let list = format!("/{}/comments", id(&post));
    assert_eq!(platform.call("GET", &list, Some(&anna), None).await.body, json!([]));
    let mut newest_first = Vec::new();
    for n in 0..3 {
        newest_first.insert(0, comment(&platform, &anna, &post, &n.to_string()).await.body);
    }
    let all = platform.call("GET", &list, Some(&anna), None).await;
    assert_eq!(all.body, json!(newest_first));
    assert!(!all.headers.contains_key("link"));
    let first = platform.call("GET", &format!("{list}?limit=2"), Some(&anna), None).await;
    assert_eq!(first.body, json!(newest_first[..2]));
    let link = first.headers["link"].to_str().unwrap();
    let next = link.strip_prefix("</api/v1").unwrap().strip_suffix(">; rel=\"next\"").unwrap();
    let second = platform.call("GET", next, Some(&anna), None).await;
    assert_eq!(second.body, json!(newest_first[2..]));
    assert!(!second.headers.contains_key("link"));
}

#[sqlx::test(migrations = false)]
async fn only_the_author_changes_a_comment(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let ((anna, author), (bert, _)) = (new_user(), new_user());
    let said = comment(&platform, &anna, &post, "first").await.body;
    let reply = platform.call("PUT", &path(&said), Some(&bert), Some(json!({ "content": "mine" }))).await;
    assert_eq!(refusal(&reply), (404, &json!("Post comment not found")));
    let unknown = format!("/comments/{}", uuid::Uuid::now_v7());
    let reply = platform.call("PUT", &unknown, Some(&anna), Some(json!({ "content": "x" }))).await;
    assert_eq!(refusal(&reply), (404, &json!("Post comment not found")));

    let mut before = said.clone();
    for content in ["second", ""] {
        let reply = platform.call("PUT", &path(&said), Some(&anna), Some(json!({ "content": content }))).await;
        assert_eq!(reply.status, 200);
        let now = reply.body;
        assert_eq!((&now["content"], &now["updated_by"]), (&json!(content), &json!(author)));
        for name in ["id", "created_at", "created_by", "post_id"] {
            assert_eq!(now[name], said[name], "{name}");
        }
        let version = |comment: &Value| {
            serde_json::from_value::<crate::core::contract::timestamp::Timestamp>(comment["updated_at"].clone())
                .unwrap()
        };
        assert!(version(&now) > version(&before));
        before = now;
    }
    let told = platform.published(COMMENT_UPDATED).await;
    assert_eq!((told.len(), &told[1]), (2, &before));
    let nft = nft(&platform).await;
    assert_eq!(nft.updated_by, Some(author));
}

#[sqlx::test(migrations = false)]
async fn only_the_author_deletes_a_comment_and_once(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let said = comment(&platform, &anna, &post, "first").await.body;
    let gone = json!("Post comment not found for deletion");
    let reply = platform.call("DELETE", &path(&said), Some(&bert), None).await;
    assert_eq!(refusal(&reply), (404, &gone));
    let reply = platform.call("DELETE", &path(&said), Some(&anna), None).await;
    assert_eq!((reply.status.as_u16(), reply.body), (204, Value::Null));
    let reply = platform.call("DELETE", &path(&said), Some(&anna), None).await;
    assert_eq!(refusal(&reply), (404, &gone));
    let reply = platform.call("GET", &path(&said), Some(&anna), None).await;
    assert_eq!(refusal(&reply), (404, &json!("Post comment not found")));
    assert_eq!(platform.published(COMMENT_DELETED).await, [said]);
    assert_eq!(Nft::all(&platform.app.db).await.unwrap().len(), 0);
}

#[sqlx::test(migrations = false)]
async fn an_invalid_comment_is_refused_in_the_originals_words(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let (anna, _) = new_user();
    let said = comment(&platform, &anna, &post, "first").await.body;
    let (list, one) = (format!("/{}/comments", id(&post)), path(&said));
    let expected = [
        (json!({}), "content", "field required"),
        (json!({ "content": null }), "content", "none is not an allowed value"),
        (json!({ "content": ["a"] }), "content", "str type expected"),
        (json!({ "content": "x", "likes": 1 }), "likes", "extra fields not permitted"),
        (json!({ "content": "é".repeat(2001) }), "content", "ensure this value has at most 2000 characters"),
        (json!({ "content": "a\0b" }), "content", "control characters are not allowed"),
    ];
    for (method, path) in [("POST", &list), ("PUT", &one)] {
        for (body, place, words) in &expected {
            let reply = platform.call(method, path, Some(&anna), Some(body.clone())).await;
            assert_eq!(reply.status, 422, "{body}");
            assert_eq!(reply.headers["content-type"], "application/problem+json");
            assert_eq!(reply.body["detail"].as_array().unwrap().len(), 1, "{body}");
            let first = &reply.body["detail"][0];
            assert_eq!((&first["loc"], &first["msg"]), (&json!(["body", place]), &json!(words)));
        }
        for body in [r#"{"content":"\ud800"}"#, "{", "[", "\u{0}"] {
            let request = axum::http::Request::builder().method(method).uri(format!("/api/v1{path}"));
            let request = request.header("authorization", format!("Bearer {anna}"));
            let reply = platform.send(request.body(axum::body::Body::from(body)).unwrap()).await;
            assert_eq!(reply.status, 422, "{body}");
            assert_eq!(reply.body["detail"][0]["type"], "value_error.jsondecode", "{body}");
        }
    }
    assert_eq!(comment(&platform, &anna, &post, "").await.status, 201, "an empty comment is one");
    let longest = comment(&platform, &anna, &post, &"😀".repeat(2000)).await;
    assert_eq!(longest.body["content"].as_str().unwrap().chars().count(), 2000);
    let reply = platform.call("POST", &list, Some(&anna), Some(json!({ "content": true }))).await;
    assert_eq!((reply.status.as_u16(), &reply.body["content"]), (201, &json!("True")));
}

#[sqlx::test(migrations = false)]
async fn the_route_of_one_comment_is_found_before_that_of_a_view(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let (anna, _) = new_user();
    for path in ["/comments/view", "/comments/7"] {
        let reply = platform.call("GET", path, Some(&anna), None).await;
        assert_eq!(reply.status, 422, "{path}");
        let problem = json!([{
            "loc": ["path", "comment_id"], "msg": "value is not a valid uuid", "type": "type_error.uuid",
        }]);
        assert_eq!(reply.body["detail"], problem, "{path}");
    }
    let reply = platform.call("GET", "/comments/%ff", Some(&anna), None).await;
    assert_eq!((reply.status.as_u16(), &reply.body["detail"][0]["type"]), (422, &json!("type_error.uuid")));
    assert_eq!(platform.call("PUT", "/comments/7", Some(&anna), Some(json!({ "content": "x" }))).await.status, 422);
    assert_eq!(platform.call("DELETE", "/comments/7", Some(&anna), None).await.status, 422);
    for (method, path) in [("GET", "/comments/7"), ("PUT", "/comments/7"), ("DELETE", "/comments/7")] {
        assert_eq!(platform.call(method, path, None, None).await.status, 401, "{method}");
    }
}

/// Moderation's request to delete a comment.
pub fn request(comment: &Value) -> Value {
    json!({
        "id": uuid::Uuid::now_v7(),
        "created_at": "2026-11-20T15:18:00.326587+00:00",
        "created_by": null,
        "updated_at": "2026-11-20T15:18:00.326604+00:00",
        "updated_by": null,
        "type": "COMMENT",
        "content_id": comment["id"],
        "raw_content": comment,
        "status": "DELETE_REQUESTED",
        "reason": "RULES_VIOLATION",
    })
}

/// A comment as it is published when moderation has it hidden; the version is that of the event.
fn hidden(comment: &Value, event: &Value) -> Value {
    let mut hidden = comment.clone();
    for name in ["updated_at", "hidden_at"] {
        assert!(event[name].as_str().unwrap() > comment["updated_at"].as_str().unwrap(), "{name} of {event}");
        hidden[name] = event[name].clone();
    }
    hidden["hidden_reason"] = json!("RULES_VIOLATION");
    hidden
}

#[sqlx::test(migrations = false)]
async fn moderation_hides_comments_and_every_request_is_answered(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let (anna, _) = new_user();
    let as_it_was_seen = comment(&platform, &anna, &post, "bad").await.body;
    let edit = json!({ "content": "worse" });
    let as_it_is = platform.call("PUT", &path(&as_it_was_seen), Some(&anna), Some(edit)).await.body;
    let kept = comment(&platform, &anna, &post, "good").await.body;
    assert_eq!(
        platform.consume(COMMENT_DELETE_REQUESTED, &request(&as_it_was_seen)).await,
        [Step::Applied { fresh: 1, duplicates: 0 }]
    );
    let [deleted] = &platform.published(COMMENT_DELETED).await[..] else { panic!("one deletion is published") };
    assert_eq!(*deleted, hidden(&as_it_is, deleted), "the comment as it was, with what tells that it can come back");
    assert_eq!(platform.published(COMMENT_DELETE_COMPLETED).await, std::slice::from_ref(deleted));

    // The original moderation asks twice; a comment that is hidden already is answered as well.
    platform.consume(COMMENT_DELETE_REQUESTED, &request(&as_it_was_seen)).await;
    assert_eq!(platform.published(COMMENT_DELETED).await.len(), 1, "it was hidden once");
    assert_eq!(platform.published(COMMENT_DELETE_COMPLETED).await, [deleted.clone(), as_it_was_seen]);
    let list = platform.call("GET", &format!("/{}/comments", id(&post)), Some(&anna), None).await;
    assert_eq!(list.body, json!([kept]));
}

#[sqlx::test(migrations = false)]
async fn a_machine_deletes_no_comment_for_good_and_a_moderator_restores_it(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let (platform, post) = start_with_post(database).await;
    let ((anna, her), (bert, _), (_, moderator)) = (new_user(), new_user(), new_user());
    let judge = format!("{moderator}:ACTIVE:MODERATOR");
    let said = comment(&platform, &anna, &post, "Wash whites only at 60 degrees.").await.body;
    let list = format!("/{}/comments", id(&post));
    platform.consume(COMMENT_DELETE_REQUESTED, &request(&said)).await;
    for caller in [&anna, &bert, &judge] {
        let read = platform.call("GET", &path(&said), Some(caller), None).await;
        assert_eq!(refusal(&read), (404, &json!("Post comment not found")));
        let written = platform.call("PUT", &path(&said), Some(caller), Some(json!({ "content": "x" }))).await;
        assert_eq!(refusal(&written), (404, &json!("Post comment not found")));
        assert_eq!(platform.call("GET", &list, Some(caller), None).await.body, json!([]));
    }
    let record = platform.personal_data_of(her, "nft_records").await;
    assert_eq!(record.len(), 1, "it stays: a token that it may have is the same one afterwards");
    let held = async |caller: &str| platform.call("GET", "/comments/hidden", Some(caller), None).await.body;
    for caller in [&anna, &judge] {
        let list = held(caller).await;
        let seen = (&list[0]["id"], &list[0]["content"], &list[0]["hidden_reason"]);
        assert_eq!(seen, (&said["id"], &said["content"], &json!("RULES_VIOLATION")), "the reason is shown");
    }
    assert_eq!(held(&bert).await, json!([]));
    assert_eq!(platform.personal_data_of(her, "comments").await[0]["content"], said["content"]);

    let restore = format!("{}/restore", path(&said));
    let refused = platform.call("POST", &restore, Some(&anna), None).await;
    assert_eq!(refusal(&refused), (403, &json!("Only moderators can do this")));
    let restored = platform.call("POST", &restore, Some(&judge), None).await;
    let mut expected = said.clone();
    for name in ["updated_at", "restored_at"] {
        expected[name] = restored.body["updated_at"].clone();
    }
    assert_eq!((restored.status.as_u16(), &restored.body), (200, &expected));
    assert_eq!(platform.call("GET", &list, Some(&bert), None).await.body, json!([expected]));
    assert_eq!(platform.published(COMMENT_CREATED).await, [said.clone(), expected.clone()], "it is counted again");
    assert_eq!(platform.personal_data_of(her, "nft_records").await[0]["id"], record[0]["id"]);
    assert_eq!(platform.call("POST", &restore, Some(&judge), None).await.status, 404);
    let noted = sqlx::query!("select who, action, target from audit").fetch_one(&platform.app.db).await.unwrap();
    assert_eq!((noted.who, noted.target, noted.action.as_str()), (Some(moderator), Some(her), "comment_restored"));

    // A request about what was read before the restoration comes late; one about a change does not.
    platform.consume(COMMENT_DELETE_REQUESTED, &request(&said)).await;
    assert_eq!(platform.call("GET", &path(&said), Some(&bert), None).await.status, 200);
    let changed = platform.call("PUT", &path(&said), Some(&anna), Some(json!({ "content": "worse" }))).await.body;
    platform.consume(COMMENT_DELETE_REQUESTED, &request(&changed)).await;
    assert_eq!(platform.call("GET", &path(&said), Some(&bert), None).await.status, 404);
    // Its author deletes it for good. Counters went down when it was hidden, so that is not published again.
    let published = platform.published(COMMENT_DELETED).await.len();
    assert_eq!(platform.call("DELETE", &path(&said), Some(&anna), None).await.status, 204);
    assert_eq!(platform.published(COMMENT_DELETED).await.len(), published);
    let for_good = json!({ "id": said["id"], "post_id": post["id"] });
    assert_eq!(platform.published(HIDDEN_COMMENT_DELETED).await, [for_good], "that it cannot come back is");
    assert_eq!(held(&judge).await, json!([]));
}

#[sqlx::test(migrations = false)]
async fn each_request_of_a_batch_is_answered_in_order(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let (anna, _) = new_user();
    let one = comment(&platform, &anna, &post, "one").await.body;
    let two = comment(&platform, &anna, &post, "two").await.body;
    let mut redis = platform.app.redis.clone();
    for comment in [&two, &two, &one] {
        let fields = [("message", request(comment).to_string()), ("type", "json".to_owned())];
        let _: String = redis::AsyncCommands::xadd(&mut redis, COMMENT_DELETE_REQUESTED, "*", &fields).await.unwrap();
    }
    let steps = platform.consume_waiting(COMMENT_DELETE_REQUESTED).await;
    assert_eq!(steps, [Step::Applied { fresh: 3, duplicates: 0 }]);
    let [second, first] = &platform.published(COMMENT_DELETED).await[..] else { panic!("two deletions are published") };
    assert_eq!((second, first), (&hidden(&two, second), &hidden(&one, first)));
    assert_eq!(platform.published(COMMENT_DELETE_COMPLETED).await, [second.clone(), two, first.clone()]);
}

#[sqlx::test(migrations = false)]
async fn a_moderators_deletion_is_recorded_in_the_audit(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let (anna, her) = new_user();
    let post = post(new_user().1, "POSTED");
    platform.consume(POST_CREATED, &post).await;
    let said = comment(&platform, &anna, &post, "x").await.body;
    let path = format!("/comments/{}", said["id"].as_str().unwrap());
    assert_eq!(platform.call("DELETE", &path, Some(&new_user().0), None).await.status, 404);
    let moderator = Uuid::now_v7();
    let token = format!("{moderator}:ACTIVE:MODERATOR");
    assert_eq!(platform.call("DELETE", &path, Some(&token), None).await.status, 204);
    let noted = sqlx::query!("select who, action, target from audit").fetch_one(&platform.app.db).await.unwrap();
    assert_eq!((noted.who, noted.target, noted.action.as_str()), (Some(moderator), Some(her), "comment_deleted"));
}

#[sqlx::test(migrations = false)]
async fn a_users_comments_of_a_day_have_a_ceiling(_: PgPoolOptions, database: PgConnectOptions) {
    let ceiling = ["--rate-limits", "comments=1000/60", "--daily-texts", "3", "--daily-bytes", "12"];
    let limited = Platform::start(&SERVICE, database, &ceiling).await;
    let platform = limited.beside(&["--rate-limits", "off"]);
    let ((anna, her), (bert, _)) = (new_user(), new_user());
    let post = post(new_user().1, "POSTED");
    platform.consume(POST_CREATED, &post).await;
    let said = comment(&limited, &anna, &post, "one").await;
    assert_eq!(said.status, 201);
    let edit = async |content: &str| {
        limited.call("PUT", &path(&said.body), Some(&anna), Some(json!({ "content": content }))).await
    };
    let refused = edit("thirteen long").await;
    assert_eq!(refusal(&refused), (429, &json!("Too many requests")), "too many bytes");
    let wait: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(wait > 0 && wait <= 86_400, "{wait}");
    assert_eq!(edit("two").await.status, 200, "a refused one costs nothing");
    assert_eq!(comment(&limited, &anna, &post, "three").await.status, 201);
    assert_eq!(comment(&limited, &anna, &post, "").await.status, 429, "a fourth text of the day");
    assert_eq!(comment(&limited, &bert, &post, "mine").await.status, 201, "another user has a day of their own");
    assert_eq!(comment(&platform, &anna, &post, "four").await.status, 201, "no rates, no ceilings");

    let held = platform.personal_data_of(her, "quotas").await;
    assert_eq!((&held[0]["texts"], &held[0]["bytes"]), (&json!(3), &json!(11)));
    platform.erase(her).await;
    assert_eq!(platform.personal_data_of(her, "quotas").await, Vec::<Value>::new());
}

#[sqlx::test(migrations = false)]
async fn a_heavy_page_shortens_long_comments(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let (anna, _) = new_user();
    let long = "\u{1F600}".repeat(2_000);
    let first = comment(&platform, &anna, &post, &long).await.body;
    let list = format!("/{}/comments?limit=200", id(&post));
    assert_eq!(platform.call("GET", &list, Some(&anna), None).await.body, json!([first]));
    let fill = "insert into comment (id, created_by, post_id, content)
        select gen_random_uuid(), created_by, post_id, content from comment, generate_series(1, 199)";
    sqlx::Executor::execute(&platform.app.db, fill).await.unwrap();
    let page = platform.call("GET", &list, Some(&anna), None).await.body;
    let mut cut = first.clone();
    (cut["content"], cut["truncated"]) = (json!("\u{1F600}".repeat(500)), json!(true));
    assert_eq!((page.as_array().unwrap().len(), &page[199]), (200, &cut));
    let bytes = page.to_string().len();
    assert!(bytes < 512 * 1024, "the heaviest page has {bytes} bytes");
    assert_eq!(platform.call("GET", &path(&first), Some(&anna), None).await.body, first, "whole by its id");
}

/// The service with one published post, and moderation that is asked first.
async fn start_with_moderation(
    database: PgConnectOptions,
    settings: &[&str],
) -> (Platform, Value, pre_publish::stub::Texts) {
    let (platform, post) = start_with_post(database).await;
    let (url, asked) = pre_publish::stub::start().await;
    let on = ["--pre-publish", "on", "--moderation-url", &url];
    (platform.beside(&[&on, settings].concat()), post, asked)
}

/// A comment that moderation would hide is refused before anything is stored, written or changed.
#[sqlx::test(migrations = false)]
async fn moderation_is_asked_before_a_comment_is_published(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post, asked) = start_with_moderation(database, &[]).await;
    let (anna, author) = new_user();
    let counted = Counted::begin();
    let reply = comment(&platform, &anna, &post, "a bad one").await;
    let sentence = "this text breaks the rules of the platform and was not published";
    let expected = json!([{ "loc": ["body", "content"], "msg": sentence, "type": "content_refused",
        "ctx": { "reason": "OFFENSIVE_CONTENT" } }]);
    assert_eq!(refusal(&reply), (422, &expected));
    assert_eq!(platform.finds(&author.to_string()).await, [""; 0], "nothing was written, and no quota charged");

    let said = comment(&platform, &anna, &post, "a good one").await;
    assert_eq!(said.status, 201);
    let change = async |content: &str| {
        let body = json!({ "content": content });
        platform.call("PUT", &path(&said.body), Some(&anna), Some(body)).await.status.as_u16()
    };
    assert_eq!((change("bad now").await, change("better").await), (422, 200));
    let read = platform.call("GET", &path(&said.body), Some(&anna), None).await;
    assert_eq!(read.body["content"], "better");
    assert_eq!(*asked.lock().unwrap(), ["a bad one", "a good one", "bad now", "better"]);
    counted.assert("pre_publish_checks_total{outcome=\"refused\"} 2");
    counted.assert("pre_publish_checks_total{outcome=\"allowed\"} 2");
}

/// Moderation that is slow, broken or away keeps no author waiting, and the setting says which harm is the smaller one.
#[sqlx::test(migrations = false)]
async fn without_an_answer_of_moderation_the_setting_decides(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post, _) = start_with_moderation(database, &["--pre-publish-timeout", "50"]).await;
    let (anna, _) = new_user();
    let gone: &[&str] = &["--moderation-url", "http://127.0.0.1:1"];
    for (content, moderation) in [("a slow one", &[][..]), ("a broken one", &[]), ("a good one", gone)] {
        let open = platform.beside(moderation);
        let closed = open.beside(&["--pre-publish-failure", "closed"]);
        let counted = Counted::begin();
        assert_eq!(comment(&open, &anna, &post, content).await.status, 201, "{content}");
        let reply = comment(&closed, &anna, &post, content).await;
        assert_eq!(refusal(&reply), (503, &json!("Moderation service unavailable")), "{content}");
        assert_eq!(reply.headers["retry-after"], "2");
        counted.assert("pre_publish_checks_total{outcome=\"unavailable\"} 2");
    }
}

#[sqlx::test(migrations = false)]
async fn a_comment_shows_its_facets_and_tags_and_so_do_its_events(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let (anna, her) = new_user();
    let said = comment(&platform, &anna, &post, "@Bert likes #Rust").await.body;
    let facets = json!([
        { "kind": "MENTION", "value": "Bert", "byte_start": 0, "byte_end": 5, "utf16_start": 0, "utf16_end": 5 },
        { "kind": "TAG", "value": "Rust", "byte_start": 12, "byte_end": 17, "utf16_start": 12, "utf16_end": 17 },
    ]);
    assert_eq!((&said["facets"], &said["tags"]), (&facets, &json!(["rust"])));
    assert_eq!(platform.published(COMMENT_CREATED).await, std::slice::from_ref(&said));
    let changed = platform.call("PUT", &path(&said), Some(&anna), Some(json!({ "content": "Nothing" }))).await.body;
    assert_eq!((changed.get("facets"), changed.get("tags")), (None, None), "the contract's answer stays as it is");
    platform.published(COMMENT_UPDATED).await;
    platform.consume("user_deleted", &json!({ "id": her, "deleted_at": "2026-11-20T12:00:00+00:00" })).await;
    platform.erase(her).await;
    assert_eq!(platform.finds("Rust").await, [""; 0], "with the words go their facets");
}

//! Decisions of moderation about posts, through their events and what readers then find.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::core::events::consumer::Step;
use crate::core::testing::counted::Counted;
use crate::core::testing::{Platform, new_user};
use crate::posts::events::{
    COMMENT_CREATED, MODERATION_DECIDED, POST_CREATED, POST_DELETE_COMPLETED, POST_DELETE_REQUESTED, POST_DELETED,
    POST_UPDATED, REACTION_CREATED,
};
use crate::posts::tests::{delete_request, nfts, path, posted, refused, start};

/// A decision about a post, as moderation publishes it.
fn decided(post: &Value, version: i64, visibility: &str, previous: &str, labels: &[&str]) -> Value {
    json!({ "id": Uuid::now_v7(), "at": "2026-11-20T15:18:00+00:00", "subject_type": "POST", "subject_id": post["id"],
        "author": post["created_by"], "version": version, "visibility": visibility, "previous_visibility": previous,
        "labels": labels, "cause": "DECIDED", "decision": { "id": Uuid::now_v7(), "actions": [visibility],
        "reason": "HATE_IDENTITY", "contract_reason": "OFFENSIVE_CONTENT", "automated": true, "policy": null,
        "policy_version": null, "rule": null, "public_note": null, "expires_at": null } })
}

/// The request to delete that moderation publishes with a decision that hides.
fn requested(post: &Value, version: i64) -> Value {
    let mut request = delete_request(post);
    request["decision_version"] = json!(version);
    request
}

/// All orders of some things.
fn orders<T: Clone>(things: &[T]) -> Vec<Vec<T>> {
    if things.is_empty() {
        return vec![Vec::new()];
    }
    let first = |at: usize| {
        let mut rest = things.to_vec();
        let one = rest.remove(at);
        orders(&rest).into_iter().map(move |order| [vec![one.clone()], order].concat()).collect::<Vec<_>>()
    };
    (0..things.len()).flat_map(first).collect()
}

async fn status(platform: &Platform, post: &Value, reader: &str) -> u16 {
    platform.call("GET", &path(post), Some(reader), None).await.status.as_u16()
}

#[sqlx::test(migrations = false)]
async fn the_newest_decision_holds_in_every_order_and_however_often_it_comes(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database).await;
    let ((anna, _), (ben, _)) = (new_user(), new_user());
    for (last, expected) in [("VISIBLE", 200), ("LIMITED", 200), ("HELD", 404), ("REMOVED", 404)] {
        for order in orders(&[0, 1, 2]) {
            let post = posted(&platform, &anna).await;
            let events = [
                (POST_DELETE_REQUESTED, requested(&post, 3)),
                (MODERATION_DECIDED, decided(&post, 3, "HIDDEN", "VISIBLE", &["SPOILER"])),
                (MODERATION_DECIDED, decided(&post, 5, last, "HIDDEN", &["GRAPHIC"])),
            ];
            for event in order.iter().chain(&order) {
                let (stream, message) = &events[*event];
                platform.consume(stream, message).await;
            }
            let read = platform.call("GET", &path(&post), Some(&ben), None).await;
            assert_eq!(read.status, expected, "{last} after {order:?}");
            if expected == 200 {
                assert_eq!(read.body["labels"], json!(["GRAPHIC"]), "{order:?}");
            }
            let own = platform.call("GET", "/posts/hidden", Some(&anna), None).await.body;
            let is_hidden = own.as_array().unwrap().iter().any(|hidden| hidden["id"] == post["id"]);
            assert_eq!(is_hidden, last == "HELD", "{last} after {order:?}");
        }
    }
}

#[sqlx::test(migrations = false)]
async fn what_a_decision_restores_is_as_it_was(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, _), (ben, _)) = (new_user(), new_user());
    let post = posted(&platform, &anna).await;
    for stream in [COMMENT_CREATED, COMMENT_CREATED, REACTION_CREATED] {
        platform.consume(stream, &json!({ "id": Uuid::now_v7(), "post_id": post["id"] })).await;
    }
    let before = platform.call("GET", &path(&post), Some(&ben), None).await.body;
    let record = nfts(&platform).await;
    platform.consume(MODERATION_DECIDED, &decided(&post, 1, "HELD", "VISIBLE", &[])).await;
    assert_eq!(refused(&platform.call("GET", &path(&post), Some(&ben), None).await).0, 404);
    let [deleted] = &platform.published(POST_DELETED).await[..] else { panic!("one deletion is published") };
    assert_eq!(
        (&deleted["hidden_at"], &deleted["hidden_reason"]),
        (&deleted["updated_at"], &json!("OFFENSIVE_CONTENT"))
    );
    // A comment that is consumed meanwhile counts.
    platform.consume(COMMENT_CREATED, &json!({ "id": Uuid::now_v7(), "post_id": post["id"] })).await;

    platform.consume(MODERATION_DECIDED, &decided(&post, 2, "VISIBLE", "HELD", &[])).await;
    let after = platform.call("GET", &path(&post), Some(&ben), None).await.body;
    let mut expected = before;
    expected["total_comments"] = json!(3);
    for name in ["updated_at", "restored_at"] {
        expected[name] = after["updated_at"].clone();
    }
    assert_eq!(after, expected);
    let mut restored = expected;
    restored["decision_version"] = json!(2);
    assert_eq!(platform.published(POST_CREATED).await, [post, restored], "moderation knows it for its own decision");
    assert_eq!(nfts(&platform).await[0]["description"], record[0]["description"]);
    assert_eq!(platform.published(POST_DELETE_COMPLETED).await, Vec::<Value>::new(), "nothing was requested");
}

#[sqlx::test(migrations = false)]
async fn each_request_is_answered_whichever_event_has_hidden_the_post(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    let (one, other) = (posted(&platform, &anna).await, posted(&platform, &anna).await);
    platform.consume(POST_DELETE_REQUESTED, &requested(&one, 1)).await;
    platform.consume(MODERATION_DECIDED, &decided(&one, 1, "HIDDEN", "VISIBLE", &[])).await;
    platform.consume(MODERATION_DECIDED, &decided(&other, 1, "HIDDEN", "VISIBLE", &[])).await;
    platform.consume(POST_DELETE_REQUESTED, &requested(&other, 1)).await;
    let deleted = platform.published(POST_DELETED).await;
    assert_eq!(deleted.len(), 2, "each was hidden once");
    assert_eq!(platform.published(POST_DELETE_COMPLETED).await, [deleted[0].clone(), other]);
    let hidden = platform.call("GET", "/posts/hidden", Some(&anna), None).await.body;
    assert_eq!(hidden[1]["hidden_reason"], "OFFENSIVE_CONTENT", "the decision's reason");
}

#[sqlx::test(migrations = false)]
async fn what_people_remove_is_deleted_for_good_and_recorded(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (judge, _)) = (new_user(), new_user());
    let judge = format!("{judge}:ACTIVE:MODERATOR");
    let (seen, hidden) = (posted(&platform, &anna).await, posted(&platform, &anna).await);
    let counted = Counted::begin();
    platform.consume(MODERATION_DECIDED, &decided(&hidden, 1, "HIDDEN", "VISIBLE", &[])).await;
    for (post, version) in [(&seen, 1), (&hidden, 2)] {
        platform.consume(MODERATION_DECIDED, &decided(post, version, "REMOVED", "VISIBLE", &[])).await;
        let restore = platform.call("POST", &format!("{}/restore", path(post)), Some(&judge), None).await;
        assert_eq!(restore.status, 404);
    }
    assert_eq!(platform.call("GET", "/posts/hidden", Some(&anna), None).await.body, json!([]));
    let deleted = platform.published(POST_DELETED).await;
    let for_good: Vec<_> =
        deleted.iter().filter(|post| post.get("hidden_at").is_none()).map(|post| &post["id"]).collect();
    assert_eq!(for_good, [&seen["id"], &hidden["id"]]);
    let noted =
        sqlx::query!("select who, action, target, result from audit").fetch_all(&platform.app.db).await.unwrap();
    for entry in &noted {
        assert_eq!((entry.who, entry.target), (None, Some(her)));
        assert_eq!((entry.action.as_str(), entry.result.as_str()), ("post_deleted", "by moderation"));
    }
    counted.assert("moderation_effects_total{effect=\"hidden\"} 1");
    counted.assert("moderation_effects_total{effect=\"removed\"} 2");
    assert_eq!(noted.len(), 2);
}

#[sqlx::test(migrations = false)]
async fn a_moderators_restoration_here_is_undone_by_a_newer_decision_only(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database).await;
    let ((anna, _), (judge, _)) = (new_user(), new_user());
    let judge = format!("{judge}:ACTIVE:MODERATOR");
    let post = posted(&platform, &anna).await;
    platform.consume(POST_DELETE_REQUESTED, &requested(&post, 4)).await;
    let restored = platform.call("POST", &format!("{}/restore", path(&post)), Some(&judge), None).await;
    assert_eq!(restored.status, 200, "{restored:?}");
    assert_eq!(platform.published(POST_CREATED).await[1], restored.body, "without the version of a decision");
    platform.consume(MODERATION_DECIDED, &decided(&post, 4, "HIDDEN", "VISIBLE", &[])).await;
    assert_eq!(status(&platform, &post, &anna).await, 200, "it comes late");
    platform.consume(MODERATION_DECIDED, &decided(&post, 5, "HIDDEN", "VISIBLE", &[])).await;
    assert_eq!(status(&platform, &post, &anna).await, 404);
}

#[sqlx::test(migrations = false)]
async fn a_label_is_shown_and_restores_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    let (post, hidden) = (posted(&platform, &anna).await, posted(&platform, &anna).await);
    platform.consume(POST_DELETE_REQUESTED, &delete_request(&hidden)).await;
    for post in [&post, &hidden] {
        platform.consume(MODERATION_DECIDED, &decided(post, 1, "VISIBLE", "VISIBLE", &["SPOILER"])).await;
    }
    let mut expected = post.clone();
    expected["labels"] = json!(["SPOILER"]);
    assert_eq!(platform.call("GET", "/posts", Some(&anna), None).await.body, json!([expected]));
    assert_eq!(status(&platform, &hidden, &anna).await, 404, "a request of the original has hidden it, no decision");
    platform.consume(MODERATION_DECIDED, &decided(&post, 2, "VISIBLE", "VISIBLE", &[])).await;
    assert_eq!(platform.call("GET", &path(&post), Some(&anna), None).await.body, post);
}

#[sqlx::test(migrations = false)]
async fn a_locked_post_takes_no_comments_and_what_its_author_chose_comes_back(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database).await;
    let ((anna, _), (ben, _)) = (new_user(), new_user());
    let post = posted(&platform, &anna).await;
    let lock = |version: i64, locked: bool, visibility: &str, previous: &str| {
        let mut event = decided(&post, version, visibility, previous, &[]);
        event["locked"] = json!(locked);
        event
    };
    let read = async || platform.call("GET", &path(&post), Some(&ben), None).await.body["comments"].clone();
    let choose = async |comments: &str| {
        let body = json!({ "content": "x", "types": ["NEWS"], "comments": comments });
        platform.call("PUT", &path(&post), Some(&anna), Some(body)).await
    };
    platform.consume(MODERATION_DECIDED, &lock(1, true, "VISIBLE", "VISIBLE")).await;
    assert_eq!(read().await, "LOCKED");
    let [published] = &platform.published(POST_UPDATED).await[..] else { panic!("it is published once") };
    assert_eq!(published["comments"], "LOCKED");
    assert!(published["updated_at"].as_str() > post["updated_at"].as_str(), "a version of its own");
    platform.consume(MODERATION_DECIDED, &lock(1, true, "VISIBLE", "VISIBLE")).await;
    assert_eq!(platform.published(POST_UPDATED).await.len(), 1, "nor is what comes twice");

    assert_eq!(choose("LOCKED").await.status, 422, "it is no choice of an author");
    assert_eq!(choose("CONNECTIONS").await.body["comments"], "LOCKED", "who cannot open it either");
    platform.consume(MODERATION_DECIDED, &lock(2, true, "HELD", "VISIBLE")).await;
    platform.consume(MODERATION_DECIDED, &lock(3, true, "VISIBLE", "HELD")).await;
    assert_eq!(read().await, "LOCKED", "a restoration opens nothing");
    platform.consume(MODERATION_DECIDED, &decided(&post, 4, "VISIBLE", "VISIBLE", &["SPOILER"])).await;
    assert_eq!(read().await, "LOCKED", "moderation of before there were locks does not say");
    platform.consume(MODERATION_DECIDED, &lock(5, false, "VISIBLE", "VISIBLE")).await;
    assert_eq!(read().await, "CONNECTIONS", "what the author has chosen meanwhile");
    platform.consume(MODERATION_DECIDED, &lock(6, false, "VISIBLE", "VISIBLE")).await;
    assert_eq!(read().await, "CONNECTIONS");
}

#[sqlx::test(migrations = false)]
async fn decisions_about_other_things_change_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, her) = new_user();
    let post = posted(&platform, &anna).await;
    let mut comment = decided(&post, 1, "REMOVED", "VISIBLE", &[]);
    comment["subject_type"] = json!("COMMENT");
    let user = json!({ "subject_type": "USER", "subject_id": her, "version": 1, "visibility": null });
    let gone = decided(&json!({ "id": Uuid::now_v7(), "created_by": her }), 1, "HIDDEN", "VISIBLE", &[]);
    for event in [comment, user, gone] {
        let steps = platform.consume(MODERATION_DECIDED, &event).await;
        assert_eq!(steps, [Step::Applied { fresh: 1, duplicates: 0 }], "{event}");
    }
    assert_eq!(platform.call("GET", &path(&post), Some(&anna), None).await.body, post);
    assert_eq!(platform.published(POST_DELETED).await, Vec::<Value>::new());
    let unknown = platform.consume(MODERATION_DECIDED, &decided(&post, 1, "SHADOWED", "VISIBLE", &[])).await;
    assert!(matches!(unknown[..], [Step::Parked(_)]), "a newer version of the service can apply it: {unknown:?}");
}

//! Decisions of moderation about comments, through their events and what readers then find.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::comments::events::{
    COMMENT_CREATED, COMMENT_DELETE_COMPLETED, COMMENT_DELETE_REQUESTED, COMMENT_DELETED, MODERATION_DECIDED,
};
use crate::comments::models::Nft;
use crate::comments::tests::{path, request, start_with_post};
use crate::core::events::consumer::Step;
use crate::core::testing::counted::Counted;
use crate::core::testing::{Platform, new_user};
use crate::posts::testing::{comment, id};

/// A decision about a comment, as moderation publishes it.
fn decided(comment: &Value, version: i64, visibility: &str, previous: &str, labels: &[&str]) -> Value {
    json!({ "id": Uuid::now_v7(), "at": "2026-11-20T15:18:00+00:00", "subject_type": "COMMENT",
        "subject_id": comment["id"], "author": comment["created_by"], "version": version, "visibility": visibility,
        "previous_visibility": previous, "labels": labels, "cause": "DECIDED", "decision": { "id": Uuid::now_v7(),
        "actions": [visibility], "reason": "HATE_RACISM", "contract_reason": "RACISM", "automated": true, "policy": null,
        "policy_version": null, "rule": null, "public_note": null, "expires_at": null } })
}

/// The request to delete that moderation publishes with a decision that hides.
fn requested(comment: &Value, version: i64) -> Value {
    let mut request = request(comment);
    request["decision_version"] = json!(version);
    request
}

async fn status(platform: &Platform, comment: &Value, reader: &str) -> u16 {
    platform.call("GET", &path(comment), Some(reader), None).await.status.as_u16()
}

#[sqlx::test(migrations = false)]
async fn the_newest_decision_holds_in_every_order_and_however_often_it_comes(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let (platform, post) = start_with_post(database).await;
    let ((anna, _), (ben, _)) = (new_user(), new_user());
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for (last, expected) in [("VISIBLE", 200), ("LIMITED", 200), ("HELD", 404), ("REMOVED", 404)] {
        for order in orders {
            let said = comment(&platform, &anna, &post, "x").await.body;
            let events = [
                (COMMENT_DELETE_REQUESTED, requested(&said, 3)),
                (MODERATION_DECIDED, decided(&said, 3, "HIDDEN", "VISIBLE", &["SPOILER"])),
                (MODERATION_DECIDED, decided(&said, 5, last, "HIDDEN", &["GRAPHIC"])),
            ];
            for event in order.iter().chain(&order) {
                let (stream, message) = &events[*event];
                platform.consume(stream, message).await;
            }
            let read = platform.call("GET", &path(&said), Some(&ben), None).await;
            assert_eq!(read.status, expected, "{last} after {order:?}");
            if expected == 200 {
                assert_eq!(read.body["labels"], json!(["GRAPHIC"]), "{order:?}");
            }
            let own = platform.call("GET", "/comments/hidden", Some(&anna), None).await.body;
            let is_hidden = own.as_array().unwrap().iter().any(|hidden| hidden["id"] == said["id"]);
            assert_eq!(is_hidden, last == "HELD", "{last} after {order:?}");
        }
    }
    // What is counted elsewhere follows from these: each is there as often as it was created, and was deleted once less or more.
    let (created, deleted) = (platform.published(COMMENT_CREATED).await, platform.published(COMMENT_DELETED).await);
    for said in &created {
        let times = |events: &[Value]| events.iter().filter(|event| event["id"] == said["id"]).count();
        let is_there = status(&platform, said, &ben).await == 200;
        assert_eq!(times(&created) - times(&deleted), usize::from(is_there), "{said}");
    }
}

#[sqlx::test(migrations = false)]
async fn what_a_decision_restores_is_as_it_was(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let ((anna, _), (ben, _)) = (new_user(), new_user());
    let said = comment(&platform, &anna, &post, "x").await.body;
    let list = format!("/{}/comments", id(&post));
    platform.consume(MODERATION_DECIDED, &decided(&said, 1, "HELD", "VISIBLE", &[])).await;
    assert_eq!(platform.call("GET", &list, Some(&ben), None).await.body, json!([]));
    let [deleted] = &platform.published(COMMENT_DELETED).await[..] else { panic!("one deletion is published") };
    assert_eq!((&deleted["hidden_at"], &deleted["hidden_reason"]), (&deleted["updated_at"], &json!("RACISM")));

    platform.consume(MODERATION_DECIDED, &decided(&said, 2, "VISIBLE", "HELD", &[])).await;
    let after = platform.call("GET", &list, Some(&ben), None).await.body[0].clone();
    let mut expected = said.clone();
    for name in ["updated_at", "restored_at"] {
        expected[name] = after["updated_at"].clone();
    }
    assert_eq!(after, expected);
    let mut restored = expected;
    restored["decision_version"] = json!(2);
    assert_eq!(platform.published(COMMENT_CREATED).await, [said, restored], "moderation knows it for its own decision");
    assert_eq!(Nft::all(&platform.app.db).await.unwrap().len(), 1);
    assert_eq!(platform.published(COMMENT_DELETE_COMPLETED).await, Vec::<Value>::new(), "nothing was requested");
}

#[sqlx::test(migrations = false)]
async fn each_request_is_answered_whichever_event_has_hidden_the_comment(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let (anna, _) = new_user();
    let one = comment(&platform, &anna, &post, "one").await.body;
    let other = comment(&platform, &anna, &post, "other").await.body;
    platform.consume(COMMENT_DELETE_REQUESTED, &requested(&one, 1)).await;
    platform.consume(MODERATION_DECIDED, &decided(&one, 1, "HIDDEN", "VISIBLE", &[])).await;
    platform.consume(MODERATION_DECIDED, &decided(&other, 1, "HIDDEN", "VISIBLE", &[])).await;
    platform.consume(COMMENT_DELETE_REQUESTED, &requested(&other, 1)).await;
    let deleted = platform.published(COMMENT_DELETED).await;
    assert_eq!(deleted.len(), 2, "each was hidden once");
    assert_eq!(platform.published(COMMENT_DELETE_COMPLETED).await, [deleted[0].clone(), other]);
    let hidden = platform.call("GET", "/comments/hidden", Some(&anna), None).await.body;
    assert_eq!(hidden[1]["hidden_reason"], "RACISM", "the decision's reason");
}

#[sqlx::test(migrations = false)]
async fn what_people_remove_is_deleted_for_good_and_recorded(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let ((anna, her), (judge, _)) = (new_user(), new_user());
    let judge = format!("{judge}:ACTIVE:MODERATOR");
    let seen = comment(&platform, &anna, &post, "seen").await.body;
    let hidden = comment(&platform, &anna, &post, "hidden").await.body;
    let counted = Counted::begin();
    platform.consume(MODERATION_DECIDED, &decided(&hidden, 1, "HIDDEN", "VISIBLE", &[])).await;
    for (said, version) in [(&seen, 1), (&hidden, 2)] {
        platform.consume(MODERATION_DECIDED, &decided(said, version, "REMOVED", "VISIBLE", &[])).await;
        let restore = platform.call("POST", &format!("{}/restore", path(said)), Some(&judge), None).await;
        assert_eq!(restore.status, 404);
    }
    assert_eq!(platform.published(COMMENT_DELETED).await.len(), 2, "counters have gone down with what was hidden");
    assert_eq!(platform.personal_data_of(her, "comments").await, Vec::<Value>::new());
    let noted =
        sqlx::query!("select who, action, target, result from audit").fetch_all(&platform.app.db).await.unwrap();
    for entry in &noted {
        assert_eq!((entry.who, entry.target), (None, Some(her)));
        assert_eq!((entry.action.as_str(), entry.result.as_str()), ("comment_deleted", "by moderation"));
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
    let (platform, post) = start_with_post(database).await;
    let ((anna, _), (judge, _)) = (new_user(), new_user());
    let judge = format!("{judge}:ACTIVE:MODERATOR");
    let said = comment(&platform, &anna, &post, "x").await.body;
    platform.consume(COMMENT_DELETE_REQUESTED, &requested(&said, 4)).await;
    let restored = platform.call("POST", &format!("{}/restore", path(&said)), Some(&judge), None).await;
    assert_eq!(restored.status, 200, "{restored:?}");
    assert_eq!(platform.published(COMMENT_CREATED).await[1], restored.body, "without the version of a decision");
    platform.consume(MODERATION_DECIDED, &decided(&said, 4, "HIDDEN", "VISIBLE", &[])).await;
    assert_eq!(status(&platform, &said, &anna).await, 200, "it comes late");
    platform.consume(MODERATION_DECIDED, &decided(&said, 5, "HIDDEN", "VISIBLE", &[])).await;
    assert_eq!(status(&platform, &said, &anna).await, 404);
}

#[sqlx::test(migrations = false)]
async fn a_label_is_shown_and_restores_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let (anna, _) = new_user();
    let said = comment(&platform, &anna, &post, "x").await.body;
    let hidden = comment(&platform, &anna, &post, "y").await.body;
    platform.consume(COMMENT_DELETE_REQUESTED, &request(&hidden)).await;
    for said in [&said, &hidden] {
        platform.consume(MODERATION_DECIDED, &decided(said, 1, "VISIBLE", "VISIBLE", &["SPOILER"])).await;
    }
    let mut expected = said.clone();
    expected["labels"] = json!(["SPOILER"]);
    let list = format!("/{}/comments", id(&post));
    assert_eq!(platform.call("GET", &list, Some(&anna), None).await.body, json!([expected]));
    assert_eq!(status(&platform, &hidden, &anna).await, 404, "a request of the original has hidden it, no decision");
    platform.consume(MODERATION_DECIDED, &decided(&said, 2, "VISIBLE", "VISIBLE", &[])).await;
    assert_eq!(platform.call("GET", &path(&said), Some(&anna), None).await.body, said);
}

#[sqlx::test(migrations = false)]
async fn decisions_about_other_things_change_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let (anna, her) = new_user();
    let said = comment(&platform, &anna, &post, "x").await.body;
    let mut about_a_post = decided(&said, 1, "REMOVED", "VISIBLE", &[]);
    about_a_post["subject_type"] = json!("POST");
    let user = json!({ "subject_type": "USER", "subject_id": her, "version": 1, "visibility": null });
    let gone = decided(&json!({ "id": Uuid::now_v7(), "created_by": her }), 1, "HIDDEN", "VISIBLE", &[]);
    for event in [about_a_post, user, gone] {
        let steps = platform.consume(MODERATION_DECIDED, &event).await;
        assert_eq!(steps, [Step::Applied { fresh: 1, duplicates: 0 }], "{event}");
    }
    assert_eq!(platform.call("GET", &path(&said), Some(&anna), None).await.body, said);
    let unknown = platform.consume(MODERATION_DECIDED, &decided(&said, 1, "SHADOWED", "VISIBLE", &[])).await;
    assert!(matches!(unknown[..], [Step::Parked(_)]), "a newer version of the service can apply it: {unknown:?}");
}

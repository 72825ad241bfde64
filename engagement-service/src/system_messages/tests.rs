//! System messages, through the route of operators and their worker.
use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::events::MODERATION_NOTICE;
use super::schedulers::{MessageWriter, purge};
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, Reply};
use crate::notifications::tests::Scene;

async fn send(platform: &Platform, token: &str, message: &Value) -> Reply {
    let request = Request::post("/internal/system-messages").header(header::CONTENT_TYPE, "application/json");
    let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    platform.send(request.body(Body::from(message.to_string())).unwrap()).await
}

async fn write_out(platform: &Platform) {
    let mut writer = MessageWriter(platform.app.clone());
    while writer.step().await.unwrap() == Outcome::Busy {}
}

#[sqlx::test(migrations = false)]
async fn a_message_reaches_all_or_some_once(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert) = (scene.person("Ann").await, scene.person("Bert").await);
    let to_all = json!({ "id": Uuid::now_v7(), "title": "Maintenance", "text": "We are away on Sunday." });
    for _ in 0..2 {
        let reply = send(&scene, "operator", &to_all).await;
        assert_eq!((reply.status.as_u16(), reply.body), (202, json!({ "id": to_all["id"] })));
        write_out(&scene).await;
    }
    let to_one = json!({ "id": Uuid::now_v7(), "title": "Hello", "text": "Hello, Bert.", "user_ids": [bert.id] });
    assert_eq!(send(&scene, "operator", &to_one).await.status, 202);
    write_out(&scene).await;
    let hers = scene.notifications(&ann).await;
    assert_eq!(hers.len(), 1);
    assert_eq!(
        [&hers[0]["type"], &hers[0]["title"], &hers[0]["text"], &hers[0]["actors"], &hers[0]["total_actors"]],
        [&json!("SYSTEM_MESSAGE"), &json!("Maintenance"), &json!("We are away on Sunday."), &json!([]), &json!(0)]
    );
    assert_eq!(scene.texts(&bert).await, ["Hello, Bert.", "We are away on Sunday."]);
    // The person and the list of readers.
    scene.erase(bert.id).await;
    let left = scene.finds(&bert.id.to_string()).await;
    assert!(!left.iter().any(|place| place.contains("system_message")), "{left:?}");
}

#[sqlx::test(migrations = false)]
async fn a_message_is_refused_when_it_is_another_or_wrong(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let message = json!({ "id": Uuid::now_v7(), "title": "T", "text": "One" });
    assert_eq!(send(&scene, "operator", &message).await.status, 202);
    let other = json!({ "id": message["id"], "title": "T", "text": "Two" });
    assert_eq!(send(&scene, "operator", &other).await.status, 409);
    assert_eq!(send(&scene, &Uuid::now_v7().to_string(), &message).await.status, 403);
    let wrong = json!({ "id": "x", "text": "t", "user_ids": [1] });
    let reply = send(&scene, "operator", &wrong).await;
    let kinds: Vec<_> = reply.body["detail"].as_array().unwrap().iter().map(|one| &one["type"]).collect();
    assert_eq!(reply.status, 422);
    assert_eq!(kinds, ["type_error.uuid", "value_error.missing", "type_error.uuid"]);
}

#[sqlx::test(migrations = false)]
async fn a_notice_of_moderation_is_one_notification_of_its_reader(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert) = (scene.person("Ann").await, scene.person("Bert").await);
    let notice = json!({ "id": Uuid::now_v7(), "at": scene.at(5), "user_id": ann.id, "kind": "STATEMENT",
        "title": "Your post was hidden", "text": "It was hidden because of: harassment.", "subject_type": "POST",
        "subject_id": Uuid::now_v7(), "decision_id": Uuid::now_v7() });
    scene.consume(MODERATION_NOTICE, &notice).await;
    scene.consume(MODERATION_NOTICE, &notice).await;
    let hers = scene.notifications(&ann).await;
    assert_eq!(hers.len(), 1);
    assert_eq!(
        [&hers[0]["type"], &hers[0]["title"], &hers[0]["text"], &hers[0]["actors"]],
        [&json!("SYSTEM_MESSAGE"), &notice["title"], &notice["text"], &json!([])]
    );
    assert_eq!((scene.unread(&ann).await, scene.notifications(&bert).await), (json!(1), vec![]));
    write_out(&scene).await;
    assert_eq!(scene.notifications(&ann).await, hers, "it is no message that waits to be written out");

    // What she has deleted does not come back, and what all have forgotten is not kept.
    let path = format!("/me/notifications/{}", hers[0]["id"].as_str().unwrap());
    assert_eq!(scene.call("DELETE", &path, Some(&ann.token), None).await.status, 204);
    scene.consume(MODERATION_NOTICE, &notice).await;
    assert_eq!(scene.notifications(&ann).await, Vec::<Value>::new());
    let messages = async || scene.finds("because of: harassment").await;
    purge(&scene.app).await.unwrap();
    assert_eq!(messages().await, ["engagement.system_message"], "it is recent");
    let sql = "update system_message set done_at = done_at - interval '91 days'; delete from notification";
    sqlx::raw_sql(sql).execute(&scene.app.db).await.unwrap();
    purge(&scene.app).await.unwrap();
    assert_eq!(messages().await, [""; 0]);
}

#[sqlx::test(migrations = false)]
async fn a_notice_leaves_with_its_reader_and_comes_to_none_who_left(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let ann = scene.person("Ann").await;
    let mut notice = json!({ "id": Uuid::now_v7(), "at": scene.at(5), "user_id": ann.id, "kind": "WARNING",
        "title": "A warning", "text": "Zephyr was warned.", "subject_type": "USER", "subject_id": ann.id,
        "decision_id": null });
    scene.consume(MODERATION_NOTICE, &notice).await;
    assert_eq!(scene.texts(&ann).await, ["Zephyr was warned."]);
    scene.consume("user_deleted", &json!({ "id": ann.id, "deleted_at": scene.at(6) })).await;
    scene.erase(ann.id).await;
    assert_eq!(scene.finds("Zephyr").await, [""; 0]);
    notice["id"] = json!(Uuid::now_v7());
    scene.consume(MODERATION_NOTICE, &notice).await;
    assert_eq!((scene.finds("Zephyr").await, scene.texts(&ann).await), (vec![], vec![]));
}

//! Notifications that reach people by mail, as they prefer.
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::mail::MailOutlet;
use crate::SERVICE;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, new_user};
use crate::digests::events::MAIL_REQUESTED;
use crate::digests::schedulers::request_due;
use crate::follows::events::USER_CONNECTED;
use crate::matrix::links;
use crate::notifications::schedulers::Dispatcher;
use crate::people::events::USER_REGISTERED;

async fn person(platform: &Platform, name: &str) -> (String, Uuid) {
    let (token, id) = new_user();
    let card = json!({ "id": id, "first_name": name, "updated_at": Utc::now(), "status": "ACTIVE" });
    platform.consume(USER_REGISTERED, &card).await;
    (token, id)
}

async fn connect(platform: &Platform, one: Uuid, other: Uuid) {
    platform.consume(USER_CONNECTED, &json!({ "user_id": one, "target_id": other, "at": Utc::now() })).await;
}

/// Hands what is new to mail; the mails that were asked for until now.
async fn dispatch(platform: &Platform) -> Vec<Value> {
    let mail = MailOutlet { links: links(platform) };
    let mut dispatcher = Dispatcher::new(&platform.app, vec![Box::new(mail)]);
    while dispatcher.step().await.unwrap() == Outcome::Busy {}
    platform.published(MAIL_REQUESTED).await
}

#[sqlx::test(migrations = false)]
async fn what_a_person_wants_at_once_is_mailed_and_the_rest_waits_for_the_digest(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (ann, bert) = (person(&platform, "Ann").await, person(&platform, "Bert").await);
    let others = [person(&platform, "Carl").await.1, person(&platform, "Dora").await.1];
    let chosen = json!({ "types": { "USER_CONNECTED": { "mail": "AT_ONCE" } } });
    let reply = platform.call("PATCH", "/me/notification-preferences", Some(&ann.0), Some(chosen)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    for reader in [ann.1, bert.1] {
        connect(&platform, others[0], reader).await;
    }
    let mails = dispatch(&platform).await;
    assert_eq!(mails.len(), 1, "Bert's waits for his digest");
    assert_eq!((&mails[0]["user_id"], &mails[0]["kind"]), (&json!(ann.1), &json!("SINGLE")));
    assert_eq!(mails[0]["items"][0]["actor_ids"], json!([others[0]]));

    connect(&platform, others[1], bert.1).await;
    dispatch(&platform).await;
    request_due(&platform.app, &links(&platform), Utc::now() + TimeDelta::days(1)).await.unwrap();
    let mails = platform.published(MAIL_REQUESTED).await;
    assert_eq!(mails.len(), 2);
    assert_eq!((&mails[1]["user_id"], &mails[1]["kind"]), (&json!(bert.1), &json!("DIGEST")));
    assert_eq!(mails[1]["items"][0]["people"], 2, "the group is mailed as it is when its day comes");
}

#[sqlx::test(migrations = false)]
async fn a_digest_leaves_out_what_was_seen(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (ann, bert) = (person(&platform, "Ann").await, person(&platform, "Bert").await);
    connect(&platform, bert.1, ann.1).await;
    assert_eq!(dispatch(&platform).await, [Value::Null; 0]);
    let up_to = json!({ "up_to": Utc::now() });
    let viewed = platform.call("POST", "/me/notifications/view", Some(&ann.0), Some(up_to)).await;
    assert!(viewed.status.is_success(), "{viewed:?}");
    request_due(&platform.app, &links(&platform), Utc::now() + TimeDelta::days(1)).await.unwrap();
    assert_eq!(platform.published(MAIL_REQUESTED).await, [Value::Null; 0]);
}

#[sqlx::test(migrations = false)]
async fn a_type_that_a_person_does_not_want_listed_is_not(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (ann, bert) = (person(&platform, "Ann").await, person(&platform, "Bert").await);
    connect(&platform, bert.1, ann.1).await;
    let seen = async || {
        let list = platform.call("GET", "/me/notifications", Some(&ann.0), None).await.body;
        let unread = platform.call("GET", "/me/notifications/unread-count", Some(&ann.0), None).await.body;
        (list.as_array().unwrap().len(), unread["unread"].clone())
    };
    assert_eq!(seen().await, (1, json!(1)));
    let chosen = json!({ "types": { "USER_CONNECTED": { "in_app": false } } });
    platform.call("PATCH", "/me/notification-preferences", Some(&ann.0), Some(chosen)).await;
    assert_eq!(seen().await, (0, json!(0)));
}

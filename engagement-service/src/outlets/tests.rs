//! Notifications that reach people by mail, as they prefer.
use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::mail::MailOutlet;
use super::push::PushOutlet;
use crate::SERVICE;
use crate::blocks::events::USER_BLOCKED;
use crate::core::contract::timestamp::Timestamp;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, new_user};
use crate::digests::events::MAIL_REQUESTED;
use crate::digests::schedulers::request_due;
use crate::follows::events::{USER_CONNECTED, USER_DISCONNECTED};
use crate::matrix::links;
use crate::notifications::Type;
use crate::notifications::causes::Pair;
use crate::notifications::models::Notification;
use crate::notifications::schedulers::Dispatcher;
use crate::notifications::signals::recommended;
use crate::people::events::USER_REGISTERED;
use crate::push::channels::PushChannels;
use crate::unsubscribe::Scope;

async fn person(platform: &Platform, name: &str) -> (String, Uuid) {
    let (token, id) = new_user();
    let card = json!({ "id": id, "first_name": name, "updated_at": Utc::now(), "status": "ACTIVE" });
    platform.consume(USER_REGISTERED, &card).await;
    (token, id)
}

async fn connect(platform: &Platform, one: Uuid, other: Uuid) {
    platform.consume(USER_CONNECTED, &json!({ "user_id": one, "target_id": other, "at": Utc::now() })).await;
}

/// Hands what is new to mail and push; the mails that were asked for until now.
async fn dispatch(platform: &Platform) -> Vec<Value> {
    let mail = MailOutlet { links: links(platform) };
    let push = PushOutlet(Arc::new(PushChannels::default()));
    let mut dispatcher = Dispatcher::new(&platform.app, vec![Box::new(mail), Box::new(push)]);
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

async fn prefer(platform: &Platform, token: &str, changes: Value) {
    let reply = platform.call("PATCH", "/me/notification-preferences", Some(token), Some(changes)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

/// Quiet hours in which now is.
fn quiet_hours() -> Value {
    let time = |hours| (Utc::now() + TimeDelta::hours(hours)).format("%H:%M").to_string();
    json!({ "from": time(-2), "to": time(2) })
}

/// Ends the quiet hours of a person, and what is held back by them.
async fn end_quiet_hours(platform: &Platform, token: &str) {
    prefer(platform, token, json!({ "quiet_hours": null })).await;
    platform.app.db.execute("update notification set due_at = now() where due_at > now()").await.unwrap();
}

/// A mail that quiet hours hold back can be recalled until their end, and is as its notification is then.
#[sqlx::test(migrations = false)]
async fn a_mail_at_once_waits_here_for_the_end_of_quiet_hours(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let [carl, dora] = [person(&platform, "Carl").await.1, person(&platform, "Dora").await.1];
    let mut readers = Vec::new();
    for name in ["Ann", "Bert", "Emil", "Fred", "Gina"] {
        let reader = person(&platform, name).await;
        let at_once = json!({ "types": { "USER_CONNECTED": { "mail": "AT_ONCE" } }, "quiet_hours": quiet_hours() });
        prefer(&platform, &reader.0, at_once).await;
        connect(&platform, carl, reader.1).await;
        readers.push(reader);
    }
    assert_eq!(dispatch(&platform).await, [Value::Null; 0]);
    let [stays, viewed, blocked, ended, unsubscribed] = &readers[..] else { panic!("{readers:?}") };
    connect(&platform, dora, stays.1).await;
    let up_to = json!({ "up_to": Utc::now() });
    assert_eq!(platform.call("POST", "/me/notifications/view", Some(&viewed.0), Some(up_to)).await.status, 200);
    let link = |reader: Uuid| json!({ "user_id": reader, "target_id": carl, "at": Utc::now() });
    platform.consume(USER_BLOCKED, &link(blocked.1)).await;
    let end = json!({ "user_id": carl, "target_id": ended.1, "at": Utc::now() });
    platform.consume(USER_DISCONNECTED, &end).await;
    let token = links(&platform).token(unsubscribed.1, Scope::Type(Type::UserConnected));
    let path = format!("/notifications/unsubscribe?token={token}");
    assert_eq!(platform.call("POST", &path, None, None).await.status, 200);
    assert_eq!(dispatch(&platform).await, [Value::Null; 0], "it is still quiet");

    for reader in &readers {
        end_quiet_hours(&platform, &reader.0).await;
    }
    let mails = dispatch(&platform).await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    let item = &mails[0]["items"][0];
    assert_eq!((&mails[0]["user_id"], &mails[0]["kind"]), (&json!(stays.1), &json!("SINGLE")));
    assert_eq!((&item["actor_ids"], &item["people"]), (&json!([dora, carl]), &json!(2)), "as it is in the morning");
}

/// A push that quiet hours hold back keeps nothing out of a digest that comes meanwhile, and does not bring it into the next one too.
#[sqlx::test(migrations = false)]
async fn what_push_holds_back_is_in_one_digest(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (ann, bert) = (person(&platform, "Ann").await, person(&platform, "Bert").await);
    prefer(&platform, &ann.0, json!({ "quiet_hours": quiet_hours() })).await;
    let status = async || platform.call("GET", "/me/notifications", Some(&ann.0), None).await.body[0]["status"].clone();
    let digests = async |days: i64| {
        request_due(&platform.app, &links(&platform), Utc::now() + TimeDelta::days(days)).await.unwrap();
        platform.published(MAIL_REQUESTED).await.len()
    };
    connect(&platform, bert.1, ann.1).await;
    dispatch(&platform).await;
    assert_eq!((status().await, digests(1).await), (json!("GENERATED"), 1));
    end_quiet_hours(&platform, &ann.0).await;
    dispatch(&platform).await;
    assert_eq!((status().await, digests(2).await), (json!("SENT"), 1), "it was in one");
    let carl = person(&platform, "Carl").await;
    connect(&platform, carl.1, ann.1).await;
    dispatch(&platform).await;
    assert_eq!(digests(3).await, 2, "there is more of it");
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

/// People and posts that are recommended to a person at once are one mail, which one link ends; with one of them alone it is that of its type.
#[sqlx::test(migrations = false)]
async fn what_is_recommended_to_a_person_at_once_is_one_mail(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let [ann, bert] = [person(&platform, "Ann").await, person(&platform, "Bert").await];
    let carl = person(&platform, "Carl").await.1;
    let at_once = json!({ "mail": "AT_ONCE" });
    let both = json!({ "types": { "CONNECTION_RECOMMENDATION": at_once, "POST_RECOMMENDATION": at_once } });
    prefer(&platform, &ann.0, both).await;
    prefer(&platform, &bert.0, json!({ "types": { "POST_RECOMMENDATION": at_once } })).await;
    let found = [ann.1, bert.1].map(|user_id| Pair { user_id, actor_id: carl });
    let mut tx = platform.app.db.begin().await.unwrap();
    recommended(&mut tx, &found, &[ann.1, bert.1], Timestamp(Utc::now())).await.unwrap();
    tx.commit().await.unwrap();

    let mails = dispatch(&platform).await;
    assert_eq!(mails.len(), 2, "{mails:?}");
    let mail_of = |reader: Uuid| mails.iter().find(|mail| mail["user_id"] == json!(reader)).unwrap();
    let types =
        |mail: &Value| mail["items"].as_array().unwrap().iter().map(|item| item["type"].clone()).collect::<Vec<_>>();
    let (hers, his) = (mail_of(ann.1), mail_of(bert.1));
    assert_eq!((&hers["kind"], &hers["total"]), (&json!("SINGLE"), &json!(2)));
    assert_eq!(types(hers), ["CONNECTION_RECOMMENDATION", "POST_RECOMMENDATION"]);
    assert_eq!(hers["unsubscribe_url"], json!(links(&platform).url(ann.1, Scope::Recommendations)));
    assert_eq!(types(his), ["POST_RECOMMENDATION"]);
    assert_eq!(his["unsubscribe_url"], json!(links(&platform).url(bert.1, Scope::Type(Type::PostRecommendation))));
}

/// However few the dispatcher takes at once, it takes both.
#[sqlx::test(migrations = false)]
async fn what_is_recommended_to_a_person_is_dispatched_together(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let [ann, bert] = [person(&platform, "Ann").await.1, person(&platform, "Bert").await.1];
    let mut tx = platform.app.db.begin().await.unwrap();
    let found = [Pair { user_id: ann, actor_id: bert }];
    recommended(&mut tx, &found, &[ann, bert], Timestamp(Utc::now())).await.unwrap();
    tx.commit().await.unwrap();
    let mut taken = Vec::new();
    loop {
        let mut tx = platform.app.db.begin().await.unwrap();
        let due = Notification::lock_due(&mut tx, 1).await.unwrap();
        let ids: Vec<Uuid> = due.iter().map(|one| one.id).collect();
        if ids.is_empty() {
            break;
        }
        Notification::mark_sent(&mut tx, &ids).await.unwrap();
        tx.commit().await.unwrap();
        taken.push((due[0].user_id, due.len()));
    }
    taken.sort_unstable();
    let mut expected = [(ann, 2), (bert, 1)];
    expected.sort_unstable();
    assert_eq!(taken, expected);
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

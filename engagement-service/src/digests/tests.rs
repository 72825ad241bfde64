//! Digests, from the notifications that wait to the mails that are asked for.
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, PgTransaction, Row};
use uuid::Uuid;

use super::events::MAIL_REQUESTED;
use super::models::MailItem;
use super::schedulers::request_due;
use super::signals;
use crate::SERVICE;
use crate::core::contract::timestamp::Timestamp;
use crate::core::testing::{Platform, new_user};
use crate::matrix::links;
use crate::notifications::Type;
use crate::preferences::Preferences;
use crate::unsubscribe::Scope;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn item(user_id: Uuid, r#type: Type, second: i64) -> MailItem {
    MailItem {
        notification_id: Uuid::now_v7(),
        user_id,
        r#type,
        actor_ids: vec![Uuid::now_v7()],
        people: 1,
        text: None,
        post_id: Some(Uuid::now_v7()),
        at: Timestamp(at("2026-05-01T12:00:00Z") + TimeDelta::seconds(second)),
    }
}

/// Adds what waits, with the preferences that its readers have.
async fn add(platform: &Platform, items: Vec<MailItem>, now: DateTime<Utc>) {
    let readers: Vec<Uuid> = items.iter().map(|item| item.user_id).collect();
    let mut tx = platform.app.db.begin().await.unwrap();
    let preferences = Preferences::list(&mut *tx, &readers).await.unwrap();
    notify(&mut tx, &items).await;
    signals::add(&mut tx, items, &preferences, now).await.unwrap();
    tx.commit().await.unwrap();
}

/// The notifications that items are of, as they are then.
async fn notify(tx: &mut PgTransaction<'static>, items: &[MailItem]) {
    for item in items {
        let MailItem { notification_id: id, user_id, people, at, .. } = item;
        let (word, subject) = (json!(item.r#type), item.post_id.unwrap_or(*id));
        let notification = format!(
            "insert into notification (id, user_id, type, subject_id, causes, created_at, updated_at)
            values ('{id}', '{user_id}', '{}', '{subject}', greatest({people}, 1), '{at}', '{at}')
            on conflict (id) do update set causes = excluded.causes, updated_at = excluded.updated_at",
            word.as_str().unwrap()
        );
        tx.execute(AssertSqlSafe(notification)).await.unwrap();
        for actor in &item.actor_ids {
            let actor = format!(
                "insert into notification_actor (notification_id, actor_id, stands, at, newest)
                values ('{id}', '{actor}', true, '{at}', '{at}') on conflict do nothing"
            );
            tx.execute(AssertSqlSafe(actor)).await.unwrap();
        }
    }
}

/// Runs the job as at that time; all mails that were asked for until then, by their readers.
async fn requested(platform: &Platform, now: DateTime<Utc>) -> HashMap<Uuid, Vec<Value>> {
    request_due(&platform.app, &links(platform), now).await.unwrap();
    let mut mails: HashMap<Uuid, Vec<Value>> = HashMap::new();
    for mail in platform.published(MAIL_REQUESTED).await {
        mails.entry(mail["user_id"].as_str().unwrap().parse().unwrap()).or_default().push(mail);
    }
    mails
}

async fn waiting(platform: &Platform) -> i64 {
    let count = "select (select count(*) from digest) + (select count(*) from digest_entry)";
    sqlx::raw_sql(count).fetch_one(&platform.app.db).await.unwrap().get(0)
}

#[sqlx::test(migrations = false)]
async fn what_waits_comes_in_one_mail_at_the_users_hour(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--public-url", "https://net.example/"]).await;
    let (token, anna) = new_user();
    let zone = json!({ "time_zone": "Europe/Berlin", "digest_hour": 18 });
    platform.call("PATCH", "/me/notification-preferences", Some(&token), Some(zone)).await;
    let now = at("2026-05-01T12:00:00Z");
    let reaction = MailItem { people: 13, ..item(anna, Type::PostReactionReceived, 5) };
    let comment = item(anna, Type::PostCommentReceived, 9);
    add(&platform, vec![reaction.clone(), comment.clone()], now).await;
    assert_eq!(requested(&platform, at("2026-05-01T15:59:59Z")).await, HashMap::new());
    let due = at("2026-05-01T16:00:00Z");
    let mails = requested(&platform, due).await;
    let [mail] = &mails[&anna][..] else { panic!("{mails:?}") };
    let shown = |item: &MailItem, kind: &str| {
        json!({ "type": kind, "actor_ids": item.actor_ids, "people": item.people, "text": null,
            "post_id": item.post_id, "at": item.at })
    };
    let url = links(&platform).url(anna, Scope::Digest);
    assert!(url.starts_with("https://net.example/api/v1/notifications/unsubscribe?token="), "{url}");
    let expected = json!({ "id": mail["id"], "user_id": anna, "kind": "DIGEST",
        "items": [shown(&comment, "POST_COMMENT_RECEIVED"), shown(&reaction, "POST_REACTION_RECEIVED")],
        "total": 2, "unsubscribe_url": url, "not_before": Timestamp(due) });
    assert_eq!(*mail, expected, "the newest first");
    assert_eq!(waiting(&platform).await, 0);
    assert_eq!(requested(&platform, at("2026-05-09T16:00:00Z")).await[&anna].len(), 1, "nothing waits, so none comes");
}

/// Both replicas ask at once, and then a third time: each entry is in one mail.
#[sqlx::test(migrations = false)]
async fn two_replicas_send_each_digest_once(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let other = platform.beside(&[]);
    let readers: Vec<Uuid> = (0..250).map(|_| Uuid::now_v7()).collect();
    let items: Vec<MailItem> = (0..500).map(|i| item(readers[i % 250], Type::UserConnected, 0)).collect();
    add(&platform, items.clone(), at("2026-05-01T12:00:00Z")).await;
    let (links, now) = (links(&platform), at("2026-05-02T08:00:00Z"));
    let (one, two) = tokio::join!(request_due(&platform.app, &links, now), request_due(&other.app, &links, now));
    one.unwrap();
    two.unwrap();
    let mails = requested(&platform, now).await;
    assert_eq!(mails.len(), 250);
    let mut posts: Vec<Value> = Vec::new();
    for mail in mails.values() {
        assert_eq!((mail.len(), &mail[0]["total"]), (1, &json!(2)));
        posts.extend(mail[0]["items"].as_array().unwrap().iter().map(|item| item["post_id"].clone()));
    }
    let mut expected: Vec<Value> = items.iter().map(|item| json!(item.post_id)).collect();
    posts.sort_by_key(ToString::to_string);
    expected.sort_by_key(ToString::to_string);
    assert_eq!(posts, expected);
}

/// Something is added while the digest is being sent: it waits for the lock, and then for the next digest.
#[sqlx::test(migrations = false)]
async fn what_is_added_while_a_digest_is_sent_comes_with_the_next(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let anna = Uuid::now_v7();
    add(&platform, vec![item(anna, Type::UserConnected, 0)], at("2026-05-01T12:00:00Z")).await;
    let due = at("2026-05-02T08:00:00Z");
    let mut sending = platform.app.db.begin().await.unwrap();
    let users = super::models::Digest::take_due(&mut sending, due, 10).await.unwrap();
    assert_eq!(users, [anna]);
    let later = item(anna, Type::UserMentioned, 0);
    let added = add(&platform, vec![later.clone()], due);
    let sent = async {
        signals::digests_due(&mut sending, &links(&platform), &users, due).await.unwrap();
        sending.commit().await.unwrap();
    };
    tokio::join!(added, sent);
    let mails = requested(&platform, at("2026-05-03T08:00:00Z")).await;
    let posts: Vec<_> = mails[&anna].iter().map(|mail| mail["items"][0]["post_id"].clone()).collect();
    assert_eq!((posts.len(), &posts[1]), (2, &json!(later.post_id)));
}

#[sqlx::test(migrations = false)]
async fn what_was_seen_or_grew_meanwhile_is_in_no_digest_or_once(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let [anna, bert] = [(); 2].map(|()| Uuid::now_v7());
    let now = at("2026-05-01T12:00:00Z");
    let (grows, seen) = (item(anna, Type::PostReactionReceived, 0), item(anna, Type::UserConnected, 1));
    let withdrawn = item(bert, Type::UserConnected, 1);
    add(&platform, vec![grows.clone(), seen.clone(), withdrawn.clone()], now).await;
    let grown = MailItem { people: 7, at: item(anna, Type::PostReactionReceived, 60).at, ..grows };
    add(&platform, vec![grown], now).await;
    let viewed = format!("update notification set viewed_at = now() where id = '{}'", seen.notification_id);
    let ended = format!("update notification set causes = 0 where id = '{}'", withdrawn.notification_id);
    for change in [viewed, ended] {
        platform.app.db.execute(AssertSqlSafe(change)).await.unwrap();
    }
    let mails = requested(&platform, at("2026-05-02T08:00:00Z")).await;
    assert_eq!(mails.keys().collect::<Vec<_>>(), [&anna], "nothing waits for him");
    assert_eq!((&mails[&anna][0]["total"], &mails[&anna][0]["items"][0]["people"]), (&json!(1), &json!(7)));
    assert_eq!(waiting(&platform).await, 0);
}

#[sqlx::test(migrations = false)]
async fn a_digest_follows_what_its_reader_chooses_meanwhile(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (token, anna) = new_user();
    // Far from any hour at which the clock of the test could be.
    let now = Utc::now();
    add(&platform, vec![item(anna, Type::UserConnected, 0), item(anna, Type::UserMentioned, 1)], now).await;
    let changes = json!({ "time_zone": "Asia/Kathmandu", "types": { "USER_CONNECTED": { "mail": "NEVER" } } });
    platform.call("PATCH", "/me/notification-preferences", Some(&token), Some(changes)).await;
    let next = Preferences::find(&platform.app.db, anna).await.unwrap().next_digest(Utc::now());
    assert_eq!(requested(&platform, next - TimeDelta::seconds(1)).await, HashMap::new());
    let mails = requested(&platform, next).await;
    assert_eq!(
        (&mails[&anna][0]["total"], &mails[&anna][0]["items"][0]["type"]),
        (&json!(1), &json!("USER_MENTIONED"))
    );
}

#[sqlx::test(migrations = false)]
async fn a_long_digest_shows_the_newest_and_counts_the_rest(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let anna = Uuid::now_v7();
    let items: Vec<MailItem> = (0..50).map(|second| item(anna, Type::UserConnected, second)).collect();
    let newest: Vec<Value> = items[30..].iter().rev().map(|item| json!(item.post_id)).collect();
    add(&platform, items, at("2026-05-01T12:00:00Z")).await;
    let mails = requested(&platform, at("2026-05-02T08:00:00Z")).await;
    let shown: Vec<Value> =
        mails[&anna][0]["items"].as_array().unwrap().iter().map(|item| item["post_id"].clone()).collect();
    assert_eq!((&mails[&anna][0]["total"], shown), (&json!(50), newest));
}

#[sqlx::test(migrations = false)]
async fn a_mail_at_once_is_asked_for_with_its_own_link(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, due) = (Uuid::now_v7(), at("2026-05-02T07:00:00Z"));
    let message = MailItem { text: Some("Back at noon.".into()), ..item(anna, Type::SystemMessage, 0) };
    let mut tx = platform.app.db.begin().await.unwrap();
    signals::request_mails(&mut tx, &links(&platform), vec![(message, due)]).await.unwrap();
    tx.commit().await.unwrap();
    let mails = requested(&platform, Utc::now()).await;
    let mail = &mails[&anna][0];
    assert_eq!(
        (&mail["kind"], &mail["total"], &mail["items"][0]["text"]),
        (&json!("SINGLE"), &json!(1), &json!("Back at noon."))
    );
    assert_eq!(mail["not_before"], json!(Timestamp(due)));
    assert_eq!(mail["unsubscribe_url"], json!(links(&platform).url(anna, Scope::Type(Type::SystemMessage))));
}

#[sqlx::test(migrations = false)]
async fn preferences_and_digests_are_exported_and_go_with_their_user(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((token, anna), bert) = (new_user(), Uuid::now_v7());
    let now = at("2026-05-01T12:00:00Z");
    platform.call("PATCH", "/me/notification-preferences", Some(&token), Some(json!({ "digest_hour": 9 }))).await;
    let sent = item(anna, Type::UserConnected, 0);
    add(&platform, vec![sent], now).await;
    requested(&platform, at("2026-05-02T09:00:00Z")).await;
    let entries: Vec<MailItem> = (0..3).map(|second| item(anna, Type::UserConnected, second)).collect();
    add(&platform, entries.iter().cloned().chain([item(bert, Type::UserConnected, 0)]).collect(), now).await;
    let preferences = platform.personal_data_of(anna, "notification_preferences").await;
    assert_eq!((preferences.len(), &preferences[0]["digest_hour"]), (1, &json!(9)));
    let exported = platform.personal_data_of(anna, "digest_entries").await;
    let ids: Vec<_> = exported.iter().map(|entry| entry["notification_id"].clone()).collect();
    assert_eq!(ids, entries.iter().rev().map(|entry| json!(entry.notification_id)).collect::<Vec<_>>());

    platform.erase(anna).await;
    let left: BTreeMap<String, bool> =
        platform.finds(&anna.to_string()).await.into_iter().map(|at| (at, true)).collect();
    for table in ["notification_preference", "digest", "digest_entry"] {
        assert!(!left.contains_key(&format!("engagement.{table}")), "{left:?}");
    }
    // A notification that was on its way, and a link in an old mail, come behind the erasure.
    add(&platform, vec![item(anna, Type::UserConnected, 0)], now).await;
    let path = format!("/notifications/unsubscribe?token={}", links(&platform).token(anna, Scope::All));
    assert_eq!(platform.call("POST", &path, None, None).await.status, 200);
    assert_eq!(platform.personal_data_of(anna, "digest_entries").await, [json!(null); 0]);
    assert_eq!(platform.personal_data_of(anna, "notification_preferences").await, [json!(null); 0]);
    assert_eq!(platform.published(MAIL_REQUESTED).await, [json!(null); 0], "the mail that was asked for is gone, too");
    let outbox = sqlx::raw_sql("select message from outbox where stream = 'notification_mail_requested'");
    let message: Value = outbox.fetch_one(&platform.app.db).await.unwrap().get(0);
    assert_eq!((&message["items"], &message["unsubscribe_url"]), (&json!([]), &json!("")));
}

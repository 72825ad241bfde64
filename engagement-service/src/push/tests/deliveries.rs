//! Deliveries from their request to their end.
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::{
    Planned, PushService, answer, browser, channels, count, deliveries, delivery, push, push_at, register, run, send,
    sender, with_web_push,
};
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::counted::Counted;
use crate::core::testing::new_user;
use crate::devices::Provider::{self, WebPush};
use crate::devices::models::Registration;
use crate::devices::signals::registered;
use crate::push::DeliveryState;
use crate::push::models::{Delivery, LOOKED_AT};
use crate::push::signals::{PushRequest, request};

#[sqlx::test(migrations = false)]
async fn all_devices_of_the_user_get_a_message_and_no_others(_: PgPoolOptions, database: PgConnectOptions) {
    let counted = Counted::begin();
    let (platform, service) = (with_web_push(database).await, PushService::start().await);
    let ((anna, her), (bert, him)) = (new_user(), new_user());
    for name in ["desk", "phone"] {
        register(&platform, &anna, browser(&service, name)).await;
    }
    register(&platform, &bert, browser(&service, "bert")).await;
    // Its channel is off: it is kept for when it is on, and gets nothing.
    register(&platform, &anna, json!({ "provider": "FCM", "token": "x" })).await;
    let notification = Uuid::now_v7();
    assert_eq!(push_at(&platform, her, notification, "Well said", None).await, 2);
    assert_eq!(push_at(&platform, Uuid::now_v7(), notification, "Well said", None).await, 0);
    let db = &platform.app.db;
    assert_eq!(Delivery::backlog(db, WebPush).await.unwrap().waiting, 2);
    send(&platform, WebPush).await;
    assert_eq!(Delivery::backlog(db, WebPush).await.unwrap().waiting, 0);
    let mut paths: Vec<_> = service.taken().into_iter().map(|taken| taken.path).collect();
    paths.sort();
    assert_eq!(paths, ["/push/desk", "/push/phone"]);
    counted.assert(r#"push_deliveries_total{provider="WEB_PUSH",outcome="sent"} 2"#);
    counted.assert(r#"push_deliveries_total{provider="WEB_PUSH",outcome="failed"} 0"#);
    counted.assert(r#"push_waiting{provider="WEB_PUSH"} 0"#);
    assert_eq!(Delivery::backlog(db, Provider::Fcm).await.unwrap().waiting, 0);
    assert_eq!(push_at(&platform, him, notification, "Well said", None).await, 1);
}

#[sqlx::test(migrations = false)]
async fn what_is_rolled_back_is_not_pushed(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = (with_web_push(database).await, PushService::start().await);
    let (anna, her) = new_user();
    register(&platform, &anna, browser(&service, "anna")).await;
    let mut tx = platform.app.db.begin().await.unwrap();
    let asked = PushRequest {
        notification_id: Uuid::now_v7(),
        user_id: her,
        title: "x",
        body: "x",
        url: "/",
        collapse_key: "x",
        named: &[],
        not_before: None,
    };
    assert_eq!(request(&mut tx, &channels(&platform), &asked).await.unwrap(), 1);
    tx.rollback().await.unwrap();
    send(&platform, WebPush).await;
    assert_eq!((service.taken().len(), count(&platform, "push_delivery").await), (0, 0));
}

#[sqlx::test(migrations = false)]
async fn a_newer_message_takes_the_place_of_one_that_waits(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = (with_web_push(database).await, PushService::start().await);
    let (anna, her) = new_user();
    register(&platform, &anna, browser(&service, "anna")).await;
    let (notification, morning) = (Uuid::now_v7(), Utc::now() + TimeDelta::hours(8));
    push_at(&platform, her, notification, "One", Some(morning)).await;
    send(&platform, WebPush).await;
    let seen = delivery(&platform).await;
    assert!(service.taken().is_empty() && seen.tries == 0 && seen.due > 28_700.0, "it is quiet until then: {seen:?}");
    push_at(&platform, her, notification, "Two", None).await;
    send(&platform, WebPush).await;
    assert_eq!((service.taken().len(), delivery(&platform).await.state.as_str()), (1, "SENT"));

    // One that a push service has put off keeps its place in time.
    service.plan([answer(503)]);
    push_at(&platform, her, notification, "Three", None).await;
    send(&platform, WebPush).await;
    push_at(&platform, her, notification, "Four", None).await;
    let seen = deliveries(&platform).await.pop().unwrap();
    assert!(seen.state == "WAITING" && seen.due > 5.0, "{seen:?}");
    assert_eq!(count(&platform, "push_delivery").await, 2);
}

#[sqlx::test(migrations = false)]
async fn a_message_that_is_replaced_on_its_way_is_followed_by_the_newer_one(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let (platform, service) = (with_web_push(database).await, PushService::start().await);
    let (anna, her) = new_user();
    register(&platform, &anna, browser(&service, "anna")).await;
    let notification = Uuid::now_v7();
    push_at(&platform, her, notification, "One", None).await;
    service.plan([Planned::Held]);
    let mut sender = sender(&platform, WebPush);
    let meanwhile = async {
        service.0.arrived.notified().await;
        push_at(&platform, her, notification, "Two", None).await;
        service.0.released.add_permits(1);
    };
    let (stepped, ()) = tokio::join!(sender.step(), meanwhile);
    stepped.unwrap();
    send(&platform, WebPush).await;
    assert_eq!(service.taken().len(), 2);
    let seen = delivery(&platform).await;
    assert_eq!((seen.state.as_str(), seen.tries), ("SENT", 1), "{seen:?}");
}

#[sqlx::test(migrations = false)]
async fn a_message_is_sent_again_when_the_process_died_on_its_way(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = (with_web_push(database).await, PushService::start().await);
    let (anna, her) = new_user();
    register(&platform, &anna, browser(&service, "anna")).await;
    push(&platform, her, "Well said").await;
    service.plan([Planned::Silence]);
    let mut one = sender(&platform, WebPush);
    tokio::select! {
        stepped = one.step() => panic!("{stepped:?}"),
        () = service.0.arrived.notified() => {}
    }
    let seen = delivery(&platform).await;
    assert!(seen.state == "WAITING" && seen.due > 50.0, "no other replica sends it for a while: {seen:?}");
    send(&platform, WebPush).await;
    assert_eq!(service.taken().len(), 1);
    run(&platform, "update push_delivery set due_at = now()").await;
    send(&platform, WebPush).await;
    let seen = delivery(&platform).await;
    assert_eq!((seen.state.as_str(), seen.tries, service.taken().len()), ("SENT", 2, 1));
}

#[sqlx::test(migrations = false)]
async fn two_replicas_share_the_work(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = (with_web_push(database).await, PushService::start().await);
    let (anna, her) = new_user();
    for device in 0..8 {
        register(&platform, &anna, browser(&service, &device.to_string())).await;
    }
    for turn in 0..12 {
        push(&platform, her, &format!("Message {turn}")).await;
    }
    let other = platform.beside(&[]);
    tokio::join!(send(&platform, WebPush), send(&other, WebPush));
    let all = deliveries(&platform).await;
    assert!(all.iter().all(|one| one.state == "SENT" && one.tries == 1), "{all:?}");
    assert_eq!((service.taken().len(), all.len()), (96, 96), "each once");
}

/// A user whose endpoints never answer could otherwise take all places on the way to a provider, message by message.
#[sqlx::test(migrations = false)]
async fn a_device_that_is_silent_holds_up_only_itself(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = with_web_push(database).await.beside(&["--push-timeout-ms", "300"]);
    let (silent, service) = (PushService::start().await, PushService::start().await);
    let ((anna, her), (bert, him)) = (new_user(), new_user());
    register(&platform, &anna, browser(&silent, "anna")).await;
    register(&platform, &bert, browser(&service, "bert")).await;
    silent.plan([Planned::Silence]);
    push(&platform, her, "One").await;
    send(&platform, WebPush).await;
    push(&platform, her, "Two").await;
    push(&platform, him, "Three").await;
    send(&platform, WebPush).await;
    assert_eq!((silent.taken().len(), service.taken().len()), (1, 1));
    // Both are due, and one of them is tried; the other one waits with it.
    silent.plan([Planned::Silence]);
    run(&platform, "update push_delivery set due_at = now() where state = 'WAITING'").await;
    send(&platform, WebPush).await;
    assert_eq!((silent.taken().len(), service.taken().len()), (1, 0));
    let all = deliveries(&platform).await;
    assert!(all.iter().filter(|one| one.state == "WAITING" && one.due > 5.0).count() == 2, "{all:?}");
    run(&platform, "update push_delivery set due_at = now() where state = 'WAITING'").await;
    send(&platform, WebPush).await;
    assert_eq!(silent.taken().len(), 2);
    assert!(deliveries(&platform).await.iter().all(|one| one.state == "SENT"));
}

#[sqlx::test(migrations = false)]
async fn what_is_tried_for_too_long_is_given_up(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = (with_web_push(database).await, PushService::start().await);
    let (anna, her) = new_user();
    register(&platform, &anna, browser(&service, "anna")).await;
    push(&platform, her, "Well said").await;
    service.plan((0..13).map(|_| answer(500)));
    let mut sender = sender(&platform, WebPush);
    let mut waits = Vec::new();
    while delivery(&platform).await.state == "WAITING" {
        run(&platform, "update push_delivery set due_at = now()").await;
        sender.step().await.unwrap();
        waits.push(delivery(&platform).await.due);
    }
    let seen = delivery(&platform).await;
    assert_eq!((seen.state.as_str(), seen.tries, seen.status), ("FAILED", 13, Some(500)));
    for (wait, longest) in waits.iter().zip([15.0, 30.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 3600.0, 3600.0]) {
        assert!((longest / 2.0 - 1.0..=longest).contains(wait), "{waits:?}");
    }
    // And what is no news any more is not sent at all.
    service.taken();
    push(&platform, her, "Well said").await;
    run(&platform, "update push_delivery set expires_at = now() - interval '1 second' where state = 'WAITING'").await;
    send(&platform, WebPush).await;
    let seen = deliveries(&platform).await.pop().unwrap();
    assert_eq!((seen.state.as_str(), seen.error.as_deref(), service.taken().len()), ("FAILED", Some("expired"), 0));
}

#[sqlx::test(migrations = false)]
async fn what_waits_for_a_device_ends_with_it(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = (with_web_push(database).await, PushService::start().await);
    let ((anna, her), (bert, _)) = (new_user(), new_user());
    let device = register(&platform, &anna, browser(&service, "anna")).await;
    push(&platform, her, "Well said").await;
    let path = format!("/me/devices/{device}");
    assert_eq!(platform.call("DELETE", &path, Some(&anna), None).await.status, 204);
    let seen = delivery(&platform).await;
    assert_eq!((seen.state.as_str(), seen.has_words), ("GONE", false));

    // Of two messages on their way to a device that is gone, the answer to the first ends the second.
    register(&platform, &anna, browser(&service, "anna")).await;
    push(&platform, her, "Well said").await;
    push_at(&platform, her, Uuid::now_v7(), "And again", Some(Utc::now() + TimeDelta::hours(1))).await;
    service.plan([answer(410)]);
    send(&platform, WebPush).await;
    let all = deliveries(&platform).await;
    let ends: Vec<_> = all.iter().map(|one| (one.state.as_str(), one.status)).collect();
    assert_eq!(ends, [("GONE", None), ("GONE", Some(410)), ("GONE", Some(410))]);
    assert_eq!(count(&platform, "device").await, 0);

    // A device that another user has registered since gets none of the first one's words.
    register(&platform, &anna, browser(&service, "shared")).await;
    push(&platform, her, "For Anna only").await;
    register(&platform, &bert, browser(&service, "shared")).await;
    service.taken();
    send(&platform, WebPush).await;
    assert_eq!(service.taken().len(), 0);
    assert!(deliveries(&platform).await.iter().all(|one| one.state == "GONE" && !one.has_words));
}

/// A phone that was stolen went on showing what its owner was sent.
#[sqlx::test(migrations = false)]
async fn a_device_ends_with_its_session(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = (with_web_push(database).await, PushService::start().await);
    let ((anna, her), (bert, _)) = (new_user(), new_user());
    let [stolen, desk] = [(); 2].map(|()| Uuid::now_v7());
    for (session, token) in [(Some(stolen), "phone"), (Some(desk), "desk"), (None, "old")] {
        let registration = Registration::Fcm { token: token.to_owned() };
        let mut tx = platform.app.db.begin().await.unwrap();
        registered(&mut tx, her, session, &registration).await.unwrap();
        tx.commit().await.unwrap();
    }
    register(&platform, &bert, browser(&service, "bert")).await;
    let ended = async |session: Option<Uuid>, at: chrono::DateTime<Utc>| {
        let event = json!({ "user_id": her, "session_id": session, "reason": "SIGNED_OUT", "revoked_at": at });
        platform.consume("session_revoked", &event).await;
        platform.call("GET", "/me/devices", Some(&anna), None).await.body.as_array().unwrap().len()
    };
    assert_eq!(ended(Some(stolen), Utc::now()).await, 2);
    assert_eq!(ended(Some(stolen), Utc::now()).await, 2, "once more changes nothing");
    assert_eq!(ended(Some(Uuid::now_v7()), Utc::now()).await, 2, "the end of another session");
    assert_eq!(ended(None, Utc::now() - TimeDelta::hours(1)).await, 2, "they were registered since");
    register(&platform, &anna, browser(&service, "anna")).await;
    push(&platform, her, "Well said").await;
    assert_eq!(ended(None, Utc::now() + TimeDelta::seconds(1)).await, 0);
    let seen = delivery(&platform).await;
    assert_eq!((seen.state.as_str(), seen.has_words, count(&platform, "device").await), ("GONE", false, 1));
}

#[sqlx::test(migrations = false)]
async fn a_device_that_is_registered_again_meanwhile_is_not_dropped(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = (with_web_push(database).await, PushService::start().await);
    let (anna, her) = new_user();
    let first = register(&platform, &anna, browser(&service, "anna")).await;
    push(&platform, her, "Well said").await;
    // The answer that the device is gone comes after it was registered again.
    let claimed = Delivery::claim(&platform.app.db, WebPush, 10).await.unwrap().remove(0);
    assert_eq!(register(&platform, &anna, browser(&service, "anna")).await, first, "it is the same device");
    let mut tx = platform.app.db.begin().await.unwrap();
    let (id, at) = (claimed.device_id, claimed.registered_at.unwrap());
    assert!(!crate::devices::signals::gone(&mut tx, id, at, Some(410), "gone").await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!((count(&platform, "device").await, delivery(&platform).await.state.as_str()), (1, "WAITING"));
}

#[sqlx::test(migrations = false)]
async fn deliveries_are_kept_for_a_week(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = (with_web_push(database).await, PushService::start().await);
    let (anna, her) = new_user();
    register(&platform, &anna, browser(&service, "anna")).await;
    for body in ["Old", "Young"] {
        push(&platform, her, body).await;
        send(&platform, WebPush).await;
        if body == "Old" {
            run(&platform, "update push_delivery set ended_at = now() - interval '169 hours'").await;
        }
    }
    push(&platform, her, "Never sent").await;
    run(&platform, "update push_delivery set expires_at = now() - interval '1 minute' where state = 'WAITING'").await;
    Delivery::clean_up(&platform.app.db).await.unwrap();
    let all = deliveries(&platform).await;
    let ends: Vec<_> = all.iter().map(|one| (one.state.as_str(), one.error.as_deref(), one.has_words)).collect();
    assert_eq!(ends, [("SENT", None, false), ("FAILED", Some("expired"), false)]);
}

#[sqlx::test(migrations = false)]
async fn devices_and_deliveries_are_exported_and_erased(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = (with_web_push(database).await, PushService::start().await);
    let ((anna, her), (bert, him)) = (new_user(), new_user());
    register(&platform, &anna, browser(&service, "anna")).await;
    register(&platform, &bert, browser(&service, "bert")).await;
    push(&platform, her, "Well said").await;
    let mut tx = platform.app.db.begin().await.unwrap();
    let asked = PushRequest {
        notification_id: Uuid::now_v7(),
        user_id: him,
        title: "Anna reacted to your post",
        body: "",
        url: "/",
        collapse_key: "x",
        named: &[her],
        not_before: None,
    };
    request(&mut tx, &channels(&platform), &asked).await.unwrap();
    tx.commit().await.unwrap();

    let held = platform.personal_data_of(her, "devices").await;
    assert_eq!(held.len(), 1);
    assert_eq!(held[0]["address"], format!("{}/push/anna", service.url()));
    assert!(held[0].get("auth").is_none() && held[0].get("p256dh").is_none(), "{held:?}");
    let held = platform.personal_data_of(her, "push_deliveries").await;
    assert_eq!((held.len(), &held[0]["body"]), (1, &json!("Well said")));

    platform.erase(her).await;
    let left = platform.finds(&her.to_string()).await;
    assert!(!left.iter().any(|place| place.contains("device") || place.contains("push_delivery")), "{left:?}");
    assert!(!platform.finds("Anna reacted").await.iter().any(|place| place.contains("push_delivery")));
    assert_eq!((count(&platform, "device").await, count(&platform, "push_delivery").await), (1, 0), "Bert keeps his");
}

#[sqlx::test(migrations = false)]
async fn a_long_message_is_cut_to_what_every_push_service_takes(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = (with_web_push(database).await, PushService::start().await);
    let (anna, her) = new_user();
    register(&platform, &anna, browser(&service, "anna")).await;
    push(&platform, her, &"\u{1f600}\n".repeat(1_000)).await;
    send(&platform, WebPush).await;
    let taken = service.taken();
    assert!(taken[0].body.len() <= 4_096, "{}", taken[0].body.len());
    assert_eq!(delivery(&platform).await.state, "SENT");
}

#[sqlx::test(migrations = false)]
async fn the_service_sends_by_itself_what_was_committed(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = (with_web_push(database).await, PushService::start().await);
    let (anna, her) = new_user();
    register(&platform, &anna, browser(&service, "anna")).await;
    let start = platform.features().background.unwrap();
    start(&platform.app);
    push(&platform, her, "Well said").await;
    tokio::time::timeout(Duration::from_secs(20), service.0.arrived.notified()).await.unwrap();
    // A step that has begun is finished.
    platform.app.stop.cancel();
    platform.app.tasks.close();
    tokio::time::timeout(Duration::from_secs(20), platform.app.tasks.wait()).await.unwrap();
    assert_eq!(delivery(&platform).await.state, "SENT");
}

#[sqlx::test(migrations = false)]
async fn a_sender_that_finds_nothing_waits(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = with_web_push(database).await;
    let outcome = sender(&platform, WebPush).step().await.unwrap();
    assert_eq!(outcome, Outcome::Idle(Duration::from_secs(1)));
}

/// A message that may not be sent before the morning waits for it, also when the one whose place it took was on its way.
#[sqlx::test(migrations = false)]
async fn what_replaces_a_message_on_its_way_waits_for_its_own_time(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = (with_web_push(database).await, PushService::start().await);
    let (anna, her) = new_user();
    register(&platform, &anna, browser(&service, "anna")).await;
    let (notification, morning) = (Uuid::now_v7(), Utc::now() + TimeDelta::hours(8));
    for is_too_large in [false, true] {
        push_at(&platform, her, notification, "One", None).await;
        let on_its_way = Delivery::claim(&platform.app.db, WebPush, 1).await.unwrap().remove(0);
        push_at(&platform, her, notification, "Two", Some(morning)).await;
        let mut tx = platform.app.db.begin().await.unwrap();
        if is_too_large {
            on_its_way.shrink(&mut tx).await.unwrap();
        } else {
            on_its_way.end(&mut tx, DeliveryState::Sent, None, "").await.unwrap();
        }
        tx.commit().await.unwrap();
        let seen = delivery(&platform).await;
        assert!(seen.state == "WAITING" && seen.due > 28_700.0, "{seen:?}");
        send(&platform, WebPush).await;
        assert!(service.taken().is_empty(), "it is quiet until then");
        run(&platform, "truncate push_delivery").await;
    }
}

/// A message that waits for the morning is not sent when its reader has seen the notification meanwhile, or it is withdrawn.
#[sqlx::test(migrations = false)]
async fn what_is_no_news_any_more_is_not_sent(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = (with_web_push(database).await, PushService::start().await);
    let (anna, her) = new_user();
    register(&platform, &anna, browser(&service, "anna")).await;
    let counted = Counted::begin();
    for (causes, viewed_at) in [(1, "now()"), (0, "null"), (1, "null")] {
        let notification = push(&platform, her, "Well said").await;
        let row = format!(
            "insert into notification (id, user_id, type, subject_id, causes, created_at, updated_at, viewed_at)
            values ('{notification}', '{her}', 'SYSTEM_MESSAGE', '{notification}', {causes}, now(), now(), {viewed_at})"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(row)).execute(&platform.app.db).await.unwrap();
    }
    send(&platform, WebPush).await;
    let ends: Vec<_> =
        deliveries(&platform).await.into_iter().map(|seen| (seen.state, seen.error, seen.has_words)).collect();
    let outdated = ("FAILED".to_owned(), Some("outdated".to_owned()), false);
    assert_eq!(ends, [outdated.clone(), outdated, ("SENT".to_owned(), None, false)]);
    assert_eq!(service.taken().len(), 1);
    counted.assert(r#"push_deliveries_total{provider="WEB_PUSH",outcome="outdated"} 2"#);
}

/// After an outage very many may be due at once. Each look at them has a bound; what is behind it is found when it is claimed.
#[sqlx::test(migrations = false)]
async fn what_is_no_news_is_looked_for_in_a_bounded_number(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = with_web_push(database).await;
    let many = format!(
        "with viewed as (
            insert into notification (id, user_id, type, subject_id, causes, created_at, updated_at, viewed_at)
            select gen_random_uuid(), gen_random_uuid(), 'SYSTEM_MESSAGE', gen_random_uuid(), 1, now(), now(), now()
            from generate_series(0, {LOOKED_AT}) returning id, user_id
        )
        insert into push_delivery (id, notification_id, user_id, provider, device_id, due_at, expires_at)
        select gen_random_uuid(), id, user_id, 'WEB_PUSH', gen_random_uuid(), now(), now() + interval '1 day' from viewed"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(many)).execute(&platform.app.db).await.unwrap();
    let look = async || Delivery::end_outdated(&platform.app.db, WebPush).await.unwrap();
    assert_eq!([look().await, look().await, look().await], [LOOKED_AT.unsigned_abs(), 1, 0]);
}

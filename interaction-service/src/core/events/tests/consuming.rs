//! Consuming: what is in the stream is applied, once, in order, or parked.
use axum::body::Body;
use axum::http::{Request, header};
use chrono::Utc;
use secrecy::ExposeSecret;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, Row};

use crate::SERVICE;
use crate::core::events::consumer::{Consumer, Step};
use crate::core::events::relay::Relay;
use crate::core::events::tests::{MOMENT, STREAM, drain, drain_through, start, start_with, subscription, until};
use crate::core::events::{Failure, Id, Subscription, backlog};
use crate::core::testing::link::{Link, State};

#[sqlx::test(migrations = false)]
async fn a_crash_before_commit(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let mut dying = platform.consumer();
    drain(&mut dying).await.unwrap();
    let held = platform.publish_and_block(1..=3).await;
    platform.published(STREAM).await;
    let mut step = Box::pin(dying.consume(MOMENT));
    until(&mut step, async || platform.is_blocked().await).await;
    drop((step, held));
    assert_eq!(platform.pending().await, 3, "what was read waits to be read again");
    assert_eq!(drain(&mut platform.consumer()).await.unwrap(), [Step::Applied { fresh: 3, duplicates: 0 }]);
    assert_eq!(platform.applied().await, [1, 2, 3]);
    assert_eq!(platform.pending().await, 0);
}

#[sqlx::test(migrations = false)]
async fn a_crash_after_commit(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (link, url) = Link::before(&platform.app.settings.redis_url).await;
    let mut dying = platform.beside(&["--redis-url", url.expose_secret()]).consumer();
    drain(&mut dying).await.unwrap();
    let held = platform.publish_and_block(1..=3).await;
    platform.published(STREAM).await;
    // The transaction is committed, and the reader is dead before it acknowledges anything.
    let mut step = Box::pin(dying.consume(MOMENT));
    until(&mut step, async || platform.is_blocked().await).await;
    link.set(State::Mute);
    held.rollback().await.unwrap();
    until(&mut step, async || platform.applied().await.len() == 3).await;
    drop(step);
    assert_eq!(platform.pending().await, 3);
    assert_eq!(drain(&mut platform.consumer()).await.unwrap(), [Step::Applied { fresh: 0, duplicates: 3 }]);
    assert_eq!(platform.applied().await, [1, 2, 3]);
    assert_eq!(platform.pending().await, 0);
}

#[sqlx::test(migrations = false)]
async fn a_crash_before_xack(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (link, url) = Link::before(&platform.app.settings.redis_url).await;
    let mut dying = platform.beside(&["--redis-url", url.expose_secret()]).consumer();
    platform.publish_all(1..=2).await;
    platform.published(STREAM).await;
    drain(&mut dying).await.unwrap();
    let held = platform.publish_and_block(3..=4).await;
    platform.published(STREAM).await;
    // It commits, and its acknowledgement does not get through.
    let mut step = Box::pin(dying.consume(MOMENT));
    until(&mut step, async || platform.is_blocked().await).await;
    link.set(State::Cut);
    held.rollback().await.unwrap();
    assert!(matches!(step.await, Err(Failure::Transient(_))));
    drop(dying);
    assert_eq!(platform.applied().await, [1, 2, 3, 4]);
    assert_eq!(platform.pending().await, 2);
    platform.publish_all([5]).await;
    platform.published(STREAM).await;
    let steps = drain(&mut platform.consumer()).await.unwrap();
    assert_eq!(steps, [Step::Applied { fresh: 0, duplicates: 2 }, Step::Applied { fresh: 1, duplicates: 0 }]);
    assert_eq!(platform.applied().await, [1, 2, 3, 4, 5]);
    assert_eq!(platform.pending().await, 0);
}

#[sqlx::test(migrations = false)]
async fn duplicates_have_no_effect(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.publish_all(1..=3).await;
    platform.published(STREAM).await;
    let mut consumer = platform.consumer();
    assert_eq!(drain(&mut consumer).await.unwrap(), [Step::Applied { fresh: 3, duplicates: 0 }]);
    // As after a crash between commit and XACK: delivered again, to this reader and to one that knows nothing.
    for consumer in [&mut consumer, &mut platform.consumer()] {
        platform.redis(&["XGROUP", "SETID", STREAM, SERVICE.group, "0"]).await;
        assert_eq!(drain(consumer).await.unwrap(), [Step::Applied { fresh: 0, duplicates: 3 }]);
    }
    assert_eq!(platform.applied().await, [1, 2, 3]);
    assert_eq!(platform.pending().await, 0);
}

#[sqlx::test(migrations = false)]
async fn group_missing(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let mut consumer = platform.consumer();
    platform.publish_all([1]).await;
    platform.published(STREAM).await;
    drain(&mut consumer).await.unwrap();
    platform.redis(&["XGROUP", "DESTROY", STREAM, SERVICE.group]).await;
    platform.publish_all([2]).await;
    platform.published(STREAM).await;
    assert!(matches!(drain(&mut consumer).await, Err(Failure::Transient(_))));
    drain(&mut consumer).await.unwrap();
    assert_eq!(platform.applied().await, [1, 2]);
}

#[sqlx::test(migrations = false)]
async fn gap_found_and_repaired(_: PgPoolOptions, database: PgConnectOptions) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (link, url) = Link::before(&format!("http://{}", listener.local_addr().unwrap()).into()).await;
    let producer = format!("{}={}", SERVICE.name, url.expose_secret());
    let platform = start_with(database, &["--producers", &producer]).await;
    // The service itself published the events.
    let router = platform.router.clone();
    platform.app.tasks.spawn(async move { axum::serve(listener, router).await });
    link.set(State::Cut);
    platform.publish_all(1..=5).await;
    platform.published(STREAM).await;
    platform.redis(&["XDEL", STREAM, "3-0", "4-0"]).await;
    let mut consumer = platform.consumer();
    // The producer is away: the stream stands still before the gap.
    let mut steps = Vec::new();
    for _ in 0..4 {
        steps.push(consumer.consume(MOMENT).await.unwrap());
    }
    assert_eq!(steps.last(), Some(&Step::Gap { watermark: Id { ms: 2, seq: 0 }, found: Id { ms: 5, seq: 0 } }));
    assert_eq!(platform.applied().await, [1, 2]);
    link.set(State::Open);
    drain(&mut consumer).await.unwrap();
    assert_eq!(platform.applied().await, [1, 2, 3, 4, 5]);
    assert_eq!(platform.pending().await, 0);
    platform.app.db.close().await;
}

/// A transaction has no more events than the subscription says: neither of those that are read nor of those that fill a gap.
#[sqlx::test(migrations = false)]
async fn a_subscription_says_how_large_a_batch_is(_: PgPoolOptions, database: PgConnectOptions) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let producer = format!("{}=http://{}", SERVICE.name, listener.local_addr().unwrap());
    let platform = start_with(database, &["--producers", &producer]).await;
    let router = platform.router.clone();
    platform.app.tasks.spawn(async move { axum::serve(listener, router).await });
    platform.publish_all(1..=9).await;
    platform.published(STREAM).await;
    platform.redis(&["XDEL", STREAM, "4-0", "5-0", "6-0"]).await;
    let few = Subscription { batch: 2, ..subscription() };
    let mut consumer = Consumer::new(platform.app.clone(), few, tokio::sync::watch::channel(true).1);
    drain(&mut consumer).await.unwrap();
    assert_eq!(platform.applied().await, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let largest = "select max(events) as events from (select count(*) as events from applied group by xmin) as batch";
    assert_eq!(platform.app.db.fetch_one(largest).await.unwrap().get::<i64, _>("events"), 2);
}

#[sqlx::test(migrations = false)]
async fn a_gap_is_filled_when_redis_has_it_again(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.publish_all(1..=4).await;
    platform.published(STREAM).await;
    platform.redis(&["XDEL", STREAM, "3-0"]).await;
    let mut consumer = platform.consumer();
    let gap = Step::Gap { watermark: Id { ms: 2, seq: 0 }, found: Id { ms: 4, seq: 0 } };
    let mut steps = Vec::new();
    while steps.last() != Some(&gap) && steps.len() < 10 {
        steps.push(consumer.consume(MOMENT).await.unwrap());
    }
    assert_eq!(steps.last(), Some(&gap));
    assert_eq!(platform.applied().await, [1, 2]);
    // Redis gets it back, as after a restart from a good file: the stream goes on by itself.
    platform.redis(&["DEL", STREAM]).await;
    platform.published(STREAM).await;
    drain_through(&mut consumer).await;
    assert_eq!(platform.applied().await, [1, 2, 3, 4]);
}

#[sqlx::test(migrations = false)]
async fn a_new_listener_begins_with_what_is_still_held(_: PgPoolOptions, database: PgConnectOptions) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let producer = format!("{}=http://{}", SERVICE.name, listener.local_addr().unwrap());
    let platform = start_with(database, &["--producers", &producer]).await;
    let router = platform.router.clone();
    platform.app.tasks.spawn(async move { axum::serve(listener, router).await });
    platform.publish_all(1..=5).await;
    platform.published(STREAM).await;
    // Read by all who listened, cut, and past the retention.
    platform.redis(&["XTRIM", STREAM, "MINID", "4-0"]).await;
    platform.app.db.execute("delete from outbox where pos < 3").await.unwrap();
    drain(&mut platform.consumer()).await.unwrap();
    assert_eq!(platform.applied().await, [3, 4, 5], "3 was cut from the stream, and is in the outbox");
    platform.app.db.close().await;
}

#[sqlx::test(migrations = false)]
async fn poison_is_parked_and_the_rest_goes_on(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.publish_all([1]).await;
    platform.publish(json!({ "n": 2, "fails": "permanently" })).await;
    platform.publish(json!({ "no": "number" })).await;
    platform.publish(json!({ "n": 4, "fails": "somehow" })).await;
    platform.publish_all([5]).await;
    platform.published(STREAM).await;
    let mut consumer = platform.consumer();
    let mut tries = 0;
    while let Err(failure) = drain(&mut consumer).await {
        assert!(matches!(failure, Failure::Unknown(_)) && tries < 10, "{failure}");
        tries += 1;
    }
    assert_eq!(tries, 4, "what fails for no known reason is tried five times");
    assert_eq!(platform.applied().await, [1, 5]);
    let parked = platform.app.db.fetch_all("select entry_id from dead_letter order by parked_at").await.unwrap();
    assert_eq!(parked.iter().map(|row| row.get("entry_id")).collect::<Vec<String>>(), ["2-0", "3-0", "4-0"]);
    assert_eq!(platform.pending().await, 0);
}

/// Whatever can write to Redis once stopped a stream with one entry that is no event, and with the stream the erasures.
#[sqlx::test(migrations = false)]
async fn an_entry_that_no_producer_published_is_parked_and_the_rest_goes_on(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let producer = format!("{}=http://{}", SERVICE.name, listener.local_addr().unwrap());
    let platform = start_with(database, &["--producers", &producer]).await;
    let router = platform.router.clone();
    platform.app.tasks.spawn(async move { axum::serve(listener, router).await });
    platform.publish_all(1..=2).await;
    platform.published(STREAM).await;
    let huge = "x".repeat(3 * 1024 * 1024);
    let moment = Utc::now().to_string();
    let forged: [&[&[u8]]; 8] = [
        &[b"2-7", b"nonsense", b"1"],
        &[b"*", b"message", b"\xff\xfe", b"\xff", b"\x00"],
        &[b"*", b"message", b"[1, 2]", b"type", b"json"],
        &[b"*", b"message", b"{\"n\": \"one\"}", b"event_id", b"none", b"version", b"x", b"prev", b"y"],
        &[b"*", b"message", huge.as_bytes()],
        &[b"*", b"message", b"null", b"occurred_at", b"-100000-01-01T00:00:00Z", b"traceparent", b"a\x00b"],
        &[b"*", b"message", b"{\"n\": 7}", b"prev", b"999-0", b"occurred_at", moment.as_bytes()],
        &[
            b"*",
            b"message",
            b"{\"n\": 8}",
            b"prev",
            b"9999999999999-0",
            b"source",
            b"x",
            b"occurred_at",
            moment.as_bytes(),
        ],
    ];
    for entry in forged {
        let mut add = redis::cmd("XADD");
        add.arg(STREAM);
        for part in entry {
            add.arg(*part);
        }
        add.exec_async(&mut platform.app.redis.clone()).await.unwrap();
    }
    platform.publish_all(3..=4).await;
    Relay::new(&platform.app).relay(STREAM).await.unwrap();
    let backlog = backlog::load(&platform.app, &[STREAM]).await.unwrap();
    assert_eq!(backlog.heard[0].stream, STREAM);
    let mut consumer = platform.consumer();
    let steps = drain(&mut consumer).await.unwrap();
    assert_eq!(steps.iter().filter(|step| matches!(step, Step::Parked(_))).count(), 7, "{steps:?}");
    // What looks like an event of the original's producers is applied; who may write is Redis's to decide.
    assert_eq!(platform.applied().await, [1, 2, 7, 3, 4]);
    let parked = "select max(length(message)) as longest from dead_letter";
    let longest: i32 = platform.app.db.fetch_one(parked).await.unwrap().get("longest");
    assert_eq!(longest, 1024 * 1024);
    assert_eq!(platform.pending().await, 0);
    platform.app.db.close().await;
}

/// Events behind a parked one in the same read were once skipped: they were pending, and only new ones were read.
#[sqlx::test(migrations = false)]
async fn what_is_read_together_with_poison_is_applied(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    for n in 1..=4 {
        let message = if n == 2 { json!({ "no": "number" }) } else { json!({ "n": n }) };
        platform.redis(&["XADD", STREAM, "*", "message", &message.to_string(), "type", "json"]).await;
    }
    let mut consumer = platform.consumer();
    let steps = drain(&mut consumer).await.unwrap();
    assert!(matches!(steps[..], [Step::Parked(_), Step::Applied { fresh: 2, .. }]), "{steps:?}");
    assert_eq!(platform.applied().await, [1, 3, 4]);
    assert_eq!(platform.pending().await, 0);
}

#[sqlx::test(migrations = false)]
async fn what_fails_for_a_while_is_tried_until_it_works(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.publish(json!({ "n": 1 })).await;
    platform.publish(json!({ "n": 2, "fails": "for a while" })).await;
    platform.published(STREAM).await;
    let mut consumer = platform.consumer();
    for _ in 0..7 {
        assert!(matches!(drain(&mut consumer).await, Err(Failure::Transient(_))));
    }
    assert_eq!(platform.applied().await, Vec::<i64>::new());
    assert_eq!(platform.pending().await, 2, "what was read waits to be read again");
    platform.app.db.execute("insert into back_again values (now())").await.unwrap();
    drain(&mut consumer).await.unwrap();
    assert_eq!(platform.applied().await, [1, 2]);
    assert_eq!(platform.pending().await, 0);
}

#[sqlx::test(migrations = false)]
async fn replay(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.publish_all([1]).await;
    platform.publish(json!({ "n": 2, "fails": "until it is mended" })).await;
    platform.publish_all([3]).await;
    platform.published(STREAM).await;
    drain(&mut platform.consumer()).await.unwrap();
    assert_eq!(platform.applied().await, [1, 3]);
    let replay = async || {
        let order = json!({ "action": "REPLAY", "ids": [], "stream": STREAM, "reason": "a test" });
        let request = Request::post("/internal/dead-letters").header(header::CONTENT_TYPE, "application/json");
        let request = request.header(header::AUTHORIZATION, "Bearer operator");
        let acted = platform.send(request.body(Body::from(order.to_string())).unwrap()).await.body;
        ["done", "failed"].map(|part| acted[part].as_array().map_or(0, Vec::len))
    };
    assert_eq!(replay().await, [0, 1], "what still fails stays parked");
    platform.app.db.execute("insert into back_again values (now())").await.unwrap();
    assert_eq!(replay().await, [1, 0]);
    assert_eq!(replay().await, [0, 0], "and it is replayed once");
    assert_eq!(platform.applied().await, [1, 3, 2]);
}

#[sqlx::test(migrations = false)]
async fn unknown_version_parked(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.publish_all([1]).await;
    platform.app.db.execute("update outbox set version = 2").await.unwrap();
    platform.published(STREAM).await;
    assert_eq!(drain(&mut platform.consumer()).await.unwrap(), [Step::Parked(Id { ms: 1, seq: 0 })]);
    assert_eq!(platform.applied().await, Vec::<i64>::new());
}

#[sqlx::test(migrations = false)]
async fn an_entry_of_the_original_producer_is_applied(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.publish_as_the_original(1..=2).await;
    let mut consumer = platform.consumer();
    assert_eq!(drain(&mut consumer).await.unwrap(), [Step::Applied { fresh: 2, duplicates: 0 }]);
    platform.publish_as_the_original([7]).await;
    drain(&mut consumer).await.unwrap();
    assert_eq!(platform.applied().await, [1, 2, 7], "there is no gap to see between ids that are times");
    assert_eq!(platform.pending().await, 0);
}

#[test]
fn ids_are_ordered_by_number_and_nonsense_is_none() {
    let id = |text: &str| text.parse::<Id>().unwrap();
    assert!(id("9-0") < id("10-0") && id("10-0") < id("10-1") && id("10-1") < id("1795187405079-0"));
    assert_eq!(id("1795187405079-3").to_string(), "1795187405079-3");
    for nonsense in ["", "7", "-1-0", "1-x", "1-0-0"] {
        assert!(nonsense.parse::<Id>().is_err(), "{nonsense}");
    }
}

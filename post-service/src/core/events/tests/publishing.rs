//! Publishing: what is committed is in the stream, once, in order, without a hole.
use secrecy::ExposeSecret;
use serde_json::json;
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::core::events::outbox::publish;
use crate::core::events::relay::Relay;
use crate::core::events::tests::{STREAM, dense, drain, relay_through, start};
use crate::core::events::{Id, numbering, retention};
use crate::core::testing::link::{Link, State};

#[sqlx::test(migrations = false)]
async fn rollback_publishes_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let mut tx = platform.app.db.begin().await.unwrap();
    publish(&mut tx, STREAM, &json!({ "n": 1 })).await.unwrap();
    tx.rollback().await.unwrap();
    platform.publish_all([2]).await;
    assert_eq!(platform.published(STREAM).await, [json!({ "n": 2 })]);
    assert_eq!(platform.ids().await, dense(1), "a rollback leaves no hole in the numbers");
}

#[sqlx::test(migrations = false)]
async fn a_late_committer_is_not_skipped(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let mut late = platform.app.db.begin().await.unwrap();
    publish(&mut late, STREAM, &json!({ "n": 1 })).await.unwrap();
    platform.publish_all([2]).await;
    assert_eq!(platform.published(STREAM).await, [json!({ "n": 2 })]);
    late.commit().await.unwrap();
    assert_eq!(platform.published(STREAM).await, [json!({ "n": 2 }), json!({ "n": 1 })]);
    assert_eq!(platform.ids().await, dense(2));
}

#[sqlx::test(migrations = false)]
async fn lock_then_insert_keeps_order(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.app.db.execute("insert into applied (place, n) values (1, 0)").await.unwrap();
    let locked = tokio::sync::Notify::new();
    let change = async |n: i64, place: &tokio::sync::Notify| {
        let mut tx = platform.app.db.begin().await.unwrap();
        tx.execute("select n from applied where place = 1 for update").await.unwrap();
        place.notify_one();
        publish(&mut tx, STREAM, &json!({ "n": n })).await.unwrap();
        tx.commit().await.unwrap();
    };
    let second = async {
        locked.notified().await;
        change(2, &tokio::sync::Notify::new()).await;
    };
    tokio::join!(change(1, &locked), second);
    assert_eq!(platform.published(STREAM).await, [json!({ "n": 1 }), json!({ "n": 2 })]);
}

#[sqlx::test(migrations = false)]
async fn an_idle_foreign_transaction_stalls_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let mut idle = platform.app.db.begin().await.unwrap();
    idle.execute("insert into applied (n) values (0)").await.unwrap();
    platform.publish_all(1..=3).await;
    assert_eq!(platform.published(STREAM).await.len(), 3);
    idle.rollback().await.unwrap();
}

#[sqlx::test(migrations = false)]
async fn two_relays_no_lock_no_hole_no_double(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let write = |from: i64| {
        let platform = &platform;
        async move { platform.publish_all(from..from + 100).await }
    };
    let carry = || async {
        let mut relay = Relay::new(&platform.app);
        for _ in 0..50 {
            relay.relay(STREAM).await.unwrap();
        }
    };
    tokio::join!(write(0), write(100), carry(), carry(), carry());
    let mut published: Vec<i64> = platform.published(STREAM).await.iter().map(|m| m["n"].as_i64().unwrap()).collect();
    assert_eq!(platform.ids().await, dense(200));
    published.sort_unstable();
    assert_eq!(published, (0..200).collect::<Vec<_>>());
}

#[sqlx::test(migrations = false)]
async fn a_crash_after_numbering(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.publish_all(1..=3).await;
    // Numbered, and then dead: the next relay finds the numbers given and the stream empty.
    let mut redis = platform.app.redis.clone();
    numbering::number(&platform.app.db, &mut redis, STREAM, Id::default()).await.unwrap();
    assert_eq!(platform.ids().await, dense(0));
    platform.publish_all(4..=5).await;
    assert_eq!(Relay::new(&platform.app).relay(STREAM).await.unwrap(), 5);
    assert_eq!(platform.ids().await, dense(5));
    drain(&mut platform.consumer()).await.unwrap();
    assert_eq!(platform.applied().await, [1, 2, 3, 4, 5]);
}

#[sqlx::test(migrations = false)]
async fn a_crash_after_append(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.publish_all(1..=3).await;
    // The relay that appended is dead; another one, which knows nothing of it, finds nothing left to do.
    assert_eq!(Relay::new(&platform.app).relay(STREAM).await.unwrap(), 3);
    let mut other = Relay::new(&platform.app);
    assert_eq!(other.relay(STREAM).await.unwrap(), 0);
    platform.publish_all([4]).await;
    assert_eq!(other.relay(STREAM).await.unwrap(), 1);
    assert_eq!(platform.ids().await, dense(4));
}

#[sqlx::test(migrations = false)]
async fn a_lost_reply_after_append(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (link, url) = Link::before(&platform.app.settings.redis_url).await;
    let relaying = platform.beside(&["--redis-url", url.expose_secret()]);
    let mut relay = Relay::new(&relaying.app);
    platform.publish_all(1..=2).await;
    relay.relay(STREAM).await.unwrap();
    platform.publish_all(3..=4).await;
    link.set(State::Unanswered);
    relay.relay(STREAM).await.unwrap_err();
    assert_eq!(platform.ids().await, dense(4), "it was appended, and the relay does not know");
    link.set(State::Open);
    platform.publish_all([5]).await;
    relay_through(&mut relay).await;
    assert_eq!(platform.ids().await, dense(5));
    drain(&mut platform.consumer()).await.unwrap();
    assert_eq!(platform.applied().await, [1, 2, 3, 4, 5]);
}

#[sqlx::test(migrations = false)]
async fn numbering_goes_on_after_entries_of_the_original_producer(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.publish_as_the_original(1..=2).await;
    platform.publish_all(3..=4).await;
    platform.published(STREAM).await;
    assert_eq!(platform.ids().await, ["1795187405079-1", "1795187405079-2", "1795187405080-0", "1795187405081-0"]);
    drain(&mut platform.consumer()).await.unwrap();
    assert_eq!(platform.applied().await, [1, 2, 3, 4]);
}

/// A number was given out, the relay died before it appended, and the original service went on writing the stream.
#[sqlx::test(migrations = false)]
async fn what_was_numbered_and_not_appended_gets_a_new_number(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.publish_all(1..=2).await;
    platform.published(STREAM).await;
    platform.publish_all(3..=4).await;
    let mut redis = platform.app.redis.clone();
    numbering::number(&platform.app.db, &mut redis, STREAM, Id { ms: 2, seq: 0 }).await.unwrap();
    platform.redis(&["XADD", STREAM, "1795187405079-0", "message", "{\"n\": 5}", "type", "json"]).await;
    platform.publish_all([6]).await;
    platform.published(STREAM).await;
    drain(&mut platform.consumer()).await.unwrap();
    assert_eq!(platform.applied().await, [1, 2, 5, 3, 4, 6]);
    assert_eq!(platform.ids().await.last().unwrap(), "1795187405082-0");
}

/// Postgres was restored from a backup that is older than the stream: what the backup has not yet numbered was published.
#[sqlx::test(migrations = false)]
async fn a_restored_outbox_publishes_nothing_twice(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.publish_all(1..=2).await;
    platform.published(STREAM).await;
    platform.publish_all([3]).await;
    let backup = "create table backup as select * from outbox; create table backup_state as select * from relay_state";
    platform.app.db.execute(backup).await.unwrap();
    platform.publish_all(4..=5).await;
    platform.published(STREAM).await;
    let restore = "delete from outbox; insert into outbox overriding system value select * from backup;
        delete from relay_state; insert into relay_state select * from backup_state";
    platform.app.db.execute(restore).await.unwrap();
    platform.publish_all([6]).await;
    platform.published(STREAM).await;
    assert_eq!(platform.ids().await, dense(6));
    drain(&mut platform.consumer()).await.unwrap();
    assert_eq!(platform.applied().await, [1, 2, 3, 4, 5, 6]);
}

#[sqlx::test(migrations = false)]
async fn trimming_never_removes_what_someone_needs(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.publish_all(1..=6).await;
    platform.published(STREAM).await;
    let trim = || async { retention::trim(&platform.app, STREAM).await.unwrap() };
    assert_eq!(trim().await, 0, "no group reads it yet");
    for group in ["quick", "slow"] {
        platform.redis(&["XGROUP", "CREATE", STREAM, group, "0"]).await;
    }
    let read = |group: &'static str, count: &'static str| {
        let platform = &platform;
        async move { platform.redis(&["XREADGROUP", "GROUP", group, "c", "COUNT", count, "STREAMS", STREAM, ">"]).await }
    };
    read("quick", "6").await;
    platform.redis(&["XACK", STREAM, "quick", "1-0", "2-0", "3-0", "4-0", "5-0", "6-0"]).await;
    assert_eq!(trim().await, 0, "one group has read nothing");
    read("slow", "4").await;
    platform.redis(&["XACK", STREAM, "slow", "1-0", "2-0", "4-0"]).await;
    assert_eq!(trim().await, 2, "3 was delivered, and not acknowledged");
    assert_eq!(platform.ids().await, ["3-0", "4-0", "5-0", "6-0"]);
    platform.redis(&["XACK", STREAM, "slow", "3-0"]).await;
    assert_eq!(trim().await, 2);
    read("slow", "9").await;
    platform.redis(&["XACK", STREAM, "slow", "5-0", "6-0"]).await;
    assert_eq!(trim().await, 2);
    // What was trimmed is not published again, and numbering goes on.
    platform.publish_all([7]).await;
    platform.published(STREAM).await;
    assert_eq!(platform.ids().await, ["7-0"]);
}

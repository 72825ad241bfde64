//! The promise of the event core, case by case, against real Postgres and Redis. Relay and consumer are stepped by hand,
//! so that what happens between two steps is decided here. The same tests run in every service.
use std::time::Duration;

use redis::{AsyncCommands, Value as RedisValue};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, PgTransaction, Row};

use super::consumer::{Consumer, Step};
use super::outbox::publish;
use super::relay::Relay;
use super::{Effect, Event, Failure, Id, Subscription};
use crate::SERVICE;
use crate::core::App;
use crate::core::testing::Platform;

const STREAM: &str = "conformance";

/// A message whose effect is a row; some fail on purpose.
#[derive(Deserialize)]
struct Message {
    n: i64,
    #[serde(default)]
    fails: Option<String>,
}

fn record<'a>(_: &'a App, tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        for event in events {
            let message: Message = serde_json::from_str(&event.message)?;
            match message.fails.as_deref() {
                Some("permanently") => return Err(Failure::Permanent("it breaks a rule".into())),
                Some("somehow") => return Err(Failure::Unknown("nobody knows why".into())),
                // Away until somebody puts a row into the table.
                Some("for a while") if tx.fetch_optional("select from back_again").await?.is_none() => {
                    return Err(Failure::Transient("it is away".into()));
                }
                _ => {}
            }
            tx.execute(sqlx::AssertSqlSafe(format!("insert into applied (n) values ({})", message.n))).await?;
        }
        Ok(())
    })
}

const SUBSCRIPTION: Subscription = Subscription { stream: STREAM, prepare: None, apply: record };

/// A service with a table for effects.
async fn start(database: PgConnectOptions) -> Platform {
    start_with(database, &[]).await
}

async fn start_with(database: PgConnectOptions, settings: &[&str]) -> Platform {
    let platform = Platform::start(&SERVICE, database, settings).await;
    let tables = "create table applied (place bigserial, n bigint); create table back_again (since timestamptz);";
    platform.app.db.execute(tables).await.unwrap();
    platform
}

impl Platform {
    async fn tell(&self, message: Value) {
        let mut tx = self.app.db.begin().await.unwrap();
        publish(&mut tx, STREAM, &message).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn tell_all(&self, numbers: impl IntoIterator<Item = i64>) {
        for n in numbers {
            self.tell(json!({ "n": n })).await;
        }
    }

    async fn applied(&self) -> Vec<i64> {
        let rows = self.app.db.fetch_all("select n from applied order by place").await.unwrap();
        rows.iter().map(|row| row.get("n")).collect()
    }

    async fn ids(&self) -> Vec<String> {
        let entries: redis::streams::StreamRangeReply = self.app.redis.clone().xrange_all(STREAM).await.unwrap();
        entries.ids.into_iter().map(|entry| entry.id).collect()
    }

    async fn pending(&self) -> usize {
        let reply: redis::streams::StreamPendingReply =
            self.app.redis.clone().xpending(STREAM, SERVICE.group).await.unwrap();
        reply.count()
    }

    async fn redis(&self, words: &[&str]) -> RedisValue {
        let mut command = redis::cmd(words[0]);
        for word in &words[1..] {
            command.arg(word);
        }
        command.query_async(&mut self.app.redis.clone()).await.unwrap()
    }

    fn consumer(&self) -> Consumer {
        Consumer::new(self.app.clone(), SUBSCRIPTION, tokio::sync::watch::channel(true).1)
    }
}

/// Steps a consumer until there is nothing more; what it did.
async fn drain(consumer: &mut Consumer) -> Result<Vec<Step>, Failure> {
    let mut steps = Vec::new();
    for _ in 0..100 {
        match consumer.consume(Duration::from_millis(1)).await? {
            Step::Nothing => return Ok(steps),
            Step::Applied { fresh: 0, duplicates: 0 } => {}
            step => steps.push(step),
        }
    }
    panic!("it comes to no end: {steps:?}");
}

/// Steps a consumer until there is nothing more, through failures that pass.
async fn drain_through(consumer: &mut Consumer) {
    let mut failures = Vec::new();
    for _ in 0..10 {
        match drain(consumer).await {
            Ok(_) => return,
            Err(failure) => failures.push(failure),
        }
    }
    panic!("it does not recover: {failures:?}");
}

fn dense(last: usize) -> Vec<String> {
    (1..=last).map(|n| format!("{n}-0")).collect()
}

#[sqlx::test(migrations = false)]
async fn rollback_publishes_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let mut tx = platform.app.db.begin().await.unwrap();
    publish(&mut tx, STREAM, &json!({ "n": 1 })).await.unwrap();
    tx.rollback().await.unwrap();
    platform.tell_all([2]).await;
    assert_eq!(platform.told(STREAM).await, [json!({ "n": 2 })]);
    assert_eq!(platform.ids().await, dense(1), "a rollback leaves no hole in the numbers");
}

#[sqlx::test(migrations = false)]
async fn a_late_committer_is_not_skipped(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let mut late = platform.app.db.begin().await.unwrap();
    publish(&mut late, STREAM, &json!({ "n": 1 })).await.unwrap();
    platform.tell_all([2]).await;
    assert_eq!(platform.told(STREAM).await, [json!({ "n": 2 })]);
    late.commit().await.unwrap();
    assert_eq!(platform.told(STREAM).await, [json!({ "n": 2 }), json!({ "n": 1 })]);
    assert_eq!(platform.ids().await, dense(2));
}

#[sqlx::test(migrations = false)]
async fn an_idle_foreign_transaction_stalls_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let mut idle = platform.app.db.begin().await.unwrap();
    idle.execute("insert into applied (n) values (0)").await.unwrap();
    platform.tell_all(1..=3).await;
    assert_eq!(platform.told(STREAM).await.len(), 3);
    idle.rollback().await.unwrap();
}

#[sqlx::test(migrations = false)]
async fn two_relays_without_a_lock_leave_no_hole_and_no_double(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let write = |from: i64| {
        let platform = &platform;
        async move { platform.tell_all(from..from + 100).await }
    };
    let carry = || async {
        let mut relay = Relay::new(&platform.app);
        for _ in 0..50 {
            relay.relay(STREAM).await.unwrap();
        }
    };
    tokio::join!(write(0), write(100), carry(), carry(), carry());
    let mut told: Vec<i64> = platform.told(STREAM).await.iter().map(|m| m["n"].as_i64().unwrap()).collect();
    assert_eq!(platform.ids().await, dense(200));
    told.sort_unstable();
    assert_eq!(told, (0..200).collect::<Vec<_>>());
}

#[sqlx::test(migrations = false)]
async fn a_crash_after_numbering_and_a_lost_reply_after_append_change_nothing(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database).await;
    platform.tell_all(1..=3).await;
    // Numbered, and then dead: the next relay finds the numbers given and the stream empty.
    super::numbering::number(&platform.app.db, &mut platform.app.redis.clone(), STREAM, Id::default()).await.unwrap();
    let mut sure = Relay::new(&platform.app);
    assert_eq!(sure.relay(STREAM).await.unwrap(), 3);
    // Appended by somebody else meanwhile, which looks just like an own append whose reply was lost.
    platform.tell_all(4..=5).await;
    assert_eq!(Relay::new(&platform.app).relay(STREAM).await.unwrap(), 2);
    platform.tell_all([6]).await;
    assert_eq!(sure.relay(STREAM).await.unwrap(), 1);
    assert_eq!(platform.ids().await, dense(6));
    drain(&mut platform.consumer()).await.unwrap();
    assert_eq!(platform.applied().await, [1, 2, 3, 4, 5, 6]);
}

#[sqlx::test(migrations = false)]
async fn a_redis_that_lost_everything_gets_it_again_and_no_effect_is_doubled(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database).await;
    let (mut relay, mut consumer) = (Relay::new(&platform.app), platform.consumer());
    platform.tell_all(1..=3).await;
    relay.relay(STREAM).await.unwrap();
    drain(&mut consumer).await.unwrap();
    // Lost while it is idle, and while events wait.
    for next in [4, 5] {
        platform.redis(&["FLUSHDB"]).await;
        platform.tell_all([next]).await;
        relay.relay(STREAM).await.unwrap();
        // The group is gone too: the first read fails, and it is made again.
        drain_through(&mut consumer).await;
        assert_eq!(platform.ids().await, dense(usize::try_from(next).unwrap()));
        assert_eq!(platform.applied().await, (1..=next).collect::<Vec<_>>());
        assert_eq!(platform.pending().await, 0);
    }
}

#[sqlx::test(migrations = false)]
async fn an_append_only_file_that_is_rolled_back_is_filled_up_again(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (mut relay, mut consumer) = (Relay::new(&platform.app), platform.consumer());
    platform.tell_all(1..=2).await;
    relay.relay(STREAM).await.unwrap();
    let older = platform.redis(&["DUMP", STREAM]).await;
    platform.tell_all(3..=5).await;
    relay.relay(STREAM).await.unwrap();
    drain(&mut consumer).await.unwrap();
    // The stream as it was after two entries; the consumer is further than Redis now.
    let RedisValue::BulkString(older) = older else { panic!("a dump") };
    let mut restore = redis::cmd("RESTORE");
    restore.arg(STREAM).arg(0).arg(older).arg("REPLACE");
    restore.query_async::<()>(&mut platform.app.redis.clone()).await.unwrap();
    platform.tell_all([6]).await;
    relay.relay(STREAM).await.unwrap();
    drain_through(&mut consumer).await;
    assert_eq!(platform.ids().await, dense(6));
    assert_eq!(platform.applied().await, [1, 2, 3, 4, 5, 6]);
}

#[sqlx::test(migrations = false)]
async fn duplicates_have_no_effect(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.tell_all(1..=3).await;
    platform.told(STREAM).await;
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
async fn a_crash_before_commit_leaves_nothing_half_done(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.tell(json!({ "n": 1 })).await;
    platform.tell(json!({ "n": 2, "fails": "for a while" })).await;
    platform.told(STREAM).await;
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
async fn a_reader_that_slept_through_its_replacement_does_no_harm(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.tell_all([1]).await;
    platform.told(STREAM).await;
    let (mut sleeper, mut other) = (platform.consumer(), platform.consumer());
    drain(&mut sleeper).await.unwrap();
    platform.tell_all([2]).await;
    platform.told(STREAM).await;
    drain(&mut other).await.unwrap();
    // The sleeper still believes that the watermark is at 1, and is given 2 once more.
    platform.redis(&["XGROUP", "SETID", STREAM, SERVICE.group, "1-0"]).await;
    assert!(matches!(drain(&mut sleeper).await, Err(Failure::Transient(_))));
    drain(&mut sleeper).await.unwrap();
    assert_eq!(platform.applied().await, [1, 2]);
    assert_eq!(platform.pending().await, 0);
}

#[sqlx::test(migrations = false)]
async fn a_group_that_is_missing_is_made_again(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let mut consumer = platform.consumer();
    platform.tell_all([1]).await;
    platform.told(STREAM).await;
    drain(&mut consumer).await.unwrap();
    platform.redis(&["XGROUP", "DESTROY", STREAM, SERVICE.group]).await;
    platform.tell_all([2]).await;
    platform.told(STREAM).await;
    assert!(matches!(drain(&mut consumer).await, Err(Failure::Transient(_))));
    drain(&mut consumer).await.unwrap();
    assert_eq!(platform.applied().await, [1, 2]);
}

#[sqlx::test(migrations = false)]
async fn a_gap_is_found_and_what_is_behind_it_waits(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.tell_all(1..=4).await;
    platform.told(STREAM).await;
    platform.redis(&["XDEL", STREAM, "3-0"]).await;
    let mut consumer = platform.consumer();
    let gap = Step::Gap { watermark: Id { ms: 2, seq: 0 }, found: Id { ms: 4, seq: 0 } };
    let mut steps = Vec::new();
    while steps.last() != Some(&gap) && steps.len() < 10 {
        steps.push(consumer.consume(Duration::from_millis(1)).await.unwrap());
    }
    assert_eq!(steps.last(), Some(&gap));
    assert_eq!(platform.applied().await, [1, 2]);
    // Redis gets it back, as after a restart from a good file: the stream goes on by itself.
    platform.redis(&["DEL", STREAM]).await;
    platform.told(STREAM).await;
    drain_through(&mut consumer).await;
    assert_eq!(platform.applied().await, [1, 2, 3, 4]);
}

#[sqlx::test(migrations = false)]
async fn poison_is_parked_and_the_rest_goes_on(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.tell_all([1]).await;
    platform.tell(json!({ "n": 2, "fails": "permanently" })).await;
    platform.tell(json!({ "no": "number" })).await;
    platform.tell(json!({ "n": 4, "fails": "somehow" })).await;
    platform.tell_all([5]).await;
    platform.told(STREAM).await;
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

#[sqlx::test(migrations = false)]
async fn a_gap_that_redis_cannot_fill_is_filled_from_the_producer(_: PgPoolOptions, database: PgConnectOptions) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let producer = format!("{}=http://{}", SERVICE.name, listener.local_addr().unwrap());
    let platform = start_with(database, &["--producers", &producer]).await;
    platform.tell_all(1..=5).await;
    platform.told(STREAM).await;
    platform.redis(&["XDEL", STREAM, "3-0", "4-0"]).await;
    let mut consumer = platform.consumer();
    // The producer is away: the stream stands still before the gap.
    let mut steps = Vec::new();
    for _ in 0..4 {
        steps.push(consumer.consume(Duration::from_millis(1)).await.unwrap());
    }
    assert_eq!(steps.last(), Some(&Step::Gap { watermark: Id { ms: 2, seq: 0 }, found: Id { ms: 5, seq: 0 } }));
    assert_eq!(platform.applied().await, [1, 2]);
    // It is back: here, the service itself, which told the events.
    let router = platform.app.router();
    platform.app.tasks.spawn(async move { axum::serve(listener, router).await });
    drain(&mut consumer).await.unwrap();
    assert_eq!(platform.applied().await, [1, 2, 3, 4, 5]);
    assert_eq!(platform.pending().await, 0);
}

#[sqlx::test(migrations = false)]
async fn a_new_listener_begins_with_what_is_still_held(_: PgPoolOptions, database: PgConnectOptions) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let producer = format!("{}=http://{}", SERVICE.name, listener.local_addr().unwrap());
    let platform = start_with(database, &["--producers", &producer]).await;
    let router = platform.app.router();
    platform.app.tasks.spawn(async move { axum::serve(listener, router).await });
    platform.tell_all(1..=5).await;
    platform.told(STREAM).await;
    // Read by all who listened, cut, and past the retention.
    platform.redis(&["XTRIM", STREAM, "MINID", "4-0"]).await;
    platform.app.db.execute("delete from outbox where pos < 3").await.unwrap();
    drain(&mut platform.consumer()).await.unwrap();
    assert_eq!(platform.applied().await, [3, 4, 5], "3 was cut from the stream, and is in the outbox");
}

#[sqlx::test(migrations = false)]
async fn trimming_never_removes_what_someone_needs(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.tell_all(1..=6).await;
    platform.told(STREAM).await;
    let trim = || async { super::upkeep::trim(&platform.app, STREAM).await.unwrap() };
    assert_eq!(trim().await, 0, "nobody reads it yet");
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
    // What was cut is not told again, and numbering goes on.
    platform.tell_all([7]).await;
    platform.told(STREAM).await;
    assert_eq!(platform.ids().await, ["7-0"]);
}

#[sqlx::test(migrations = false)]
async fn the_outbox_forgets_only_what_is_old_and_published(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let Some(stream) = SERVICE.tells.first() else { return };
    for n in 0..4 {
        let mut tx = platform.app.db.begin().await.unwrap();
        publish(&mut tx, stream, &json!({ "n": n })).await.unwrap();
        tx.commit().await.unwrap();
        if n == 2 {
            platform.told(stream).await;
        }
    }
    let age = "update outbox set occurred_at = now() - interval '8 days' where message->>'n' in ('0', '1', '3')";
    platform.app.db.execute(age).await.unwrap();
    super::upkeep::tidy(&platform.app).await.unwrap();
    let left = platform.app.db.fetch_all("select message->>'n' as n from outbox order by seq").await.unwrap();
    assert_eq!(left.iter().map(|row| row.get("n")).collect::<Vec<String>>(), ["2", "3"]);
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
async fn an_unknown_version_is_parked(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.tell_all([1]).await;
    platform.app.db.execute("update outbox set version = 2").await.unwrap();
    platform.told(STREAM).await;
    assert_eq!(drain(&mut platform.consumer()).await.unwrap(), [Step::Parked(Id { ms: 1, seq: 0 })]);
    assert_eq!(platform.applied().await, Vec::<i64>::new());
}

#[sqlx::test(migrations = false)]
async fn entries_of_the_original_are_applied_and_numbering_goes_on_behind_them(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database).await;
    for n in 1..=2 {
        let id = format!("1795187405079-{n}");
        platform.redis(&["XADD", STREAM, &id, "message", &json!({ "n": n }).to_string(), "type", "json"]).await;
    }
    let mut consumer = platform.consumer();
    platform.tell_all(3..=4).await;
    platform.told(STREAM).await;
    assert_eq!(platform.ids().await, ["1795187405079-1", "1795187405079-2", "1795187405080-0", "1795187405081-0"]);
    drain(&mut consumer).await.unwrap();
    assert_eq!(platform.applied().await, [1, 2, 3, 4]);
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
    assert_eq!(platform.told(STREAM).await, [json!({ "n": 1 }), json!({ "n": 2 })]);
}

#[sqlx::test(migrations = false)]
async fn everything_lost_under_load_is_applied_once(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let running = std::cell::Cell::new(true);
    let write = async {
        for n in 0..150 {
            platform.tell(json!({ "n": n })).await;
            if n % 40 == 39 {
                platform.redis(&["FLUSHDB"]).await;
            }
        }
        running.set(false);
    };
    let carry = async {
        let mut relay = Relay::new(&platform.app);
        while running.get() {
            relay.relay(STREAM).await.unwrap();
        }
    };
    let apply = async {
        let mut consumer = platform.consumer();
        while running.get() {
            // A group that has just been lost is an error that passes.
            let passes = consumer.consume(Duration::from_millis(1)).await.map_or_else(
                |failure| matches!(failure, Failure::Transient(_)),
                |step| !matches!(step, Step::Parked(_)),
            );
            assert!(passes);
        }
    };
    tokio::join!(write, carry, apply);
    platform.told(STREAM).await;
    drain_through(&mut platform.consumer()).await;
    assert_eq!(platform.applied().await, (0..150).collect::<Vec<_>>());
    assert_eq!(platform.pending().await, 0);
}

/// A number was given out, the relay died before it appended, and the original service went on writing the stream.
#[sqlx::test(migrations = false)]
async fn what_was_numbered_and_not_appended_gets_a_new_number(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.tell_all(1..=2).await;
    platform.told(STREAM).await;
    platform.tell_all(3..=4).await;
    let mut redis = platform.app.redis.clone();
    super::numbering::number(&platform.app.db, &mut redis, STREAM, Id { ms: 2, seq: 0 }).await.unwrap();
    platform.redis(&["XADD", STREAM, "1795187405079-0", "message", "{\"n\": 5}", "type", "json"]).await;
    platform.tell_all([6]).await;
    platform.told(STREAM).await;
    drain(&mut platform.consumer()).await.unwrap();
    assert_eq!(platform.applied().await, [1, 2, 5, 3, 4, 6]);
    assert_eq!(platform.ids().await.last().unwrap(), "1795187405082-0");
}

/// Postgres was restored from a backup that is older than the stream: what the backup has not yet numbered was told.
#[sqlx::test(migrations = false)]
async fn a_restored_outbox_tells_nothing_twice(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.tell_all(1..=2).await;
    platform.told(STREAM).await;
    platform.tell_all([3]).await;
    let backup = "create table backup as select * from outbox; create table backup_state as select * from relay_state";
    platform.app.db.execute(backup).await.unwrap();
    platform.tell_all(4..=5).await;
    platform.told(STREAM).await;
    let restore = "delete from outbox; insert into outbox overriding system value select * from backup;
        delete from relay_state; insert into relay_state select * from backup_state";
    platform.app.db.execute(restore).await.unwrap();
    platform.tell_all([6]).await;
    platform.told(STREAM).await;
    assert_eq!(platform.ids().await, dense(6));
    drain(&mut platform.consumer()).await.unwrap();
    assert_eq!(platform.applied().await, [1, 2, 3, 4, 5, 6]);
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

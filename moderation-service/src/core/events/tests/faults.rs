//! Faults: Redis that forgets or is away, a process that is stopped or signalled to stop.
use std::cell::Cell;
use std::time::{Duration, Instant};

use redis::Value as RedisValue;
use secrecy::ExposeSecret;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::SERVICE;
use crate::core::events::Failure;
use crate::core::events::consumer::{Consumer, Step};
use crate::core::events::relay::Relay;
use crate::core::events::tests::{
    MOMENT, STREAM, dense, drain, drain_through, relay_through, start, subscription, until,
};
use crate::core::ground::worker::{Worker, backoff};
use crate::core::serve;
use crate::core::testing::link::{Link, State};

#[sqlx::test(migrations = false)]
async fn flushall_under_load(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let running = Cell::new(true);
    let write = async {
        for n in 0..150 {
            platform.publish(json!({ "n": n })).await;
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
            let passes = consumer.consume(MOMENT).await.map_or_else(
                |failure| matches!(failure, Failure::Transient(_)),
                |step| !matches!(step, Step::Parked(_)),
            );
            assert!(passes);
        }
    };
    tokio::join!(write, carry, apply);
    platform.published(STREAM).await;
    drain_through(&mut platform.consumer()).await;
    assert_eq!(platform.applied().await, (0..150).collect::<Vec<_>>());
    assert_eq!(platform.pending().await, 0);
}

#[sqlx::test(migrations = false)]
async fn a_redis_that_lost_everything_gets_it_again_and_no_effect_is_doubled(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database).await;
    let (mut relay, mut consumer) = (Relay::new(&platform.app), platform.consumer());
    platform.publish_all(1..=3).await;
    relay.relay(STREAM).await.unwrap();
    drain(&mut consumer).await.unwrap();
    // Lost while it is idle, and while events wait.
    for next in [4, 5] {
        platform.redis(&["FLUSHDB"]).await;
        platform.publish_all([next]).await;
        relay.relay(STREAM).await.unwrap();
        // The group is gone too: the first read fails, and it is made again.
        drain_through(&mut consumer).await;
        assert_eq!(platform.ids().await, dense(usize::try_from(next).unwrap()));
        assert_eq!(platform.applied().await, (1..=next).collect::<Vec<_>>());
        assert_eq!(platform.pending().await, 0);
    }
}

#[sqlx::test(migrations = false)]
async fn the_append_only_file_rolled_back(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (mut relay, mut consumer) = (Relay::new(&platform.app), platform.consumer());
    platform.publish_all(1..=2).await;
    relay.relay(STREAM).await.unwrap();
    let older = platform.redis(&["DUMP", STREAM]).await;
    platform.publish_all(3..=5).await;
    relay.relay(STREAM).await.unwrap();
    drain(&mut consumer).await.unwrap();
    // The stream as it was after two entries; the consumer is further than Redis now.
    let RedisValue::BulkString(older) = older else { panic!("a dump") };
    let mut restore = redis::cmd("RESTORE");
    restore.arg(STREAM).arg(0).arg(older).arg("REPLACE");
    restore.query_async::<()>(&mut platform.app.redis.clone()).await.unwrap();
    platform.publish_all([6]).await;
    relay.relay(STREAM).await.unwrap();
    drain_through(&mut consumer).await;
    assert_eq!(platform.ids().await, dense(6));
    assert_eq!(platform.applied().await, [1, 2, 3, 4, 5, 6]);
}

/// A primary that was replaced has acknowledged what its successor still holds as pending. No call fails by that.
#[sqlx::test(migrations = false)]
async fn acknowledgements_that_redis_lost_are_made_again(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (mut relay, mut consumer) = (Relay::new(&platform.app), platform.consumer());
    platform.publish_all(1..=3).await;
    relay.relay(STREAM).await.unwrap();
    drain(&mut consumer).await.unwrap();
    assert_eq!(platform.pending().await, 0);

    // The stream as a replica has it that was given the deliveries and not the acknowledgements.
    platform.redis(&["XGROUP", "SETID", STREAM, SERVICE.group, "0"]).await;
    let read = ["XREADGROUP", "GROUP", SERVICE.group, STREAM, "STREAMS", STREAM, ">"];
    platform.redis(&read).await;
    assert_eq!(platform.pending().await, 3);

    // New events go on being applied meanwhile, and no failure leads back to what is pending.
    for n in 4..=24 {
        platform.publish_all([n]).await;
        relay.relay(STREAM).await.unwrap();
        consumer.consume(MOMENT).await.unwrap();
    }
    drain(&mut consumer).await.unwrap();
    assert_eq!(platform.pending().await, 0);
    assert_eq!(platform.applied().await, (1..=24).collect::<Vec<_>>());
}

/// How long Redis is away is known from the pauses between the tries, which are not waited for here.
#[sqlx::test(migrations = false)]
async fn redis_away_for_60_s(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (link, url) = Link::before(&platform.app.settings.redis_url).await;
    let service = platform.beside(&["--redis-url", url.expose_secret()]);
    let (mut relay, mut consumer) = (Relay::new(&service.app), service.consumer());
    service.publish_all(1..=2).await;
    relay.relay(STREAM).await.unwrap();
    drain(&mut consumer).await.unwrap();

    link.set(State::Cut);
    let (mut away, mut tries) = (Duration::ZERO, 0);
    while away < Duration::from_mins(1) {
        tries += 1;
        // A write is a commit to Postgres, and succeeds.
        service.publish_all([i64::from(tries) + 2]).await;
        relay.relay(STREAM).await.unwrap_err();
        assert!(matches!(consumer.consume(MOMENT).await, Err(Failure::Transient(_))));
        away += backoff(tries);
    }
    assert_eq!(platform.applied().await, [1, 2]);
    link.set(State::Open);
    relay_through(&mut relay).await;
    drain_through(&mut consumer).await;
    let all = usize::try_from(tries).unwrap() + 2;
    assert_eq!(platform.ids().await, dense(all));
    assert_eq!(platform.applied().await, (1..=i64::from(tries) + 2).collect::<Vec<_>>());
    assert_eq!(platform.pending().await, 0);
}

/// The service runs as it does in production; of SIGTERM there is here what it sets off.
#[sqlx::test(migrations = false)]
async fn sigterm_under_load_ends_within_10_s(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let service = platform.beside(&["--port", "0"]);
    let stop = service.app.stop.clone();
    let published = Cell::new(0);
    let load = async {
        while !stop.is_cancelled() {
            platform.publish_all([published.get()]).await;
            published.set(published.get() + 1);
            service.app.commits.send_modify(|commits| *commits += 1);
        }
    };
    let terminate = async {
        while platform.applied().await.len() < 100 {
            tokio::task::yield_now().await;
        }
        stop.cancel();
        Instant::now()
    };
    let (served, (), asked) =
        tokio::join!(serve::serve(service.service, service.app.clone(), service.features()), load, terminate);
    served.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(10), "it took {:?}", asked.elapsed());
    // What it had not come to is done after the next start; what it had done is not done again.
    platform.published(STREAM).await;
    drain_through(&mut platform.consumer()).await;
    assert_eq!(platform.applied().await, (0..published.get()).collect::<Vec<_>>());
    assert_eq!(platform.ids().await, dense(usize::try_from(published.get()).unwrap()));
    assert_eq!(platform.pending().await, 0);
}

/// A process that was stopped kept its connections, and with them its leases and the rows that it had locked: its streams
/// stood still until it woke up.
#[sqlx::test(migrations = false)]
async fn a_reader_stopped_for_30_s_and_woken_does_no_harm(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (sleeping, other) = (platform.beside(&[]), platform.beside(&[]));
    let (mut sleepers_keeper, mut keeper) = (sleeping.lease_manager(), other.lease_manager());
    let (asleep, lease) = (sleepers_keeper.want(STREAM), keeper.want(STREAM));
    let mut sleeper = Consumer::new(sleeping.app.clone(), subscription(), asleep.clone());
    sleepers_keeper.step().await.unwrap();
    drain(&mut sleeper).await.unwrap();
    let held = platform.publish_and_block(1..=3).await;
    platform.published(STREAM).await;
    // A step that is not polled is a process that is stopped: here, in the middle of its transaction.
    let mut step = Box::pin(sleeper.consume(MOMENT));
    until(&mut step, async || platform.is_blocked().await).await;
    keeper.step().await.unwrap();
    assert_eq!((*asleep.borrow(), *lease.borrow()), (true, false), "it sleeps, and holds the lease");
    keeper.heartbeat_timeout = 0.0;
    keeper.step().await.unwrap();
    held.rollback().await.unwrap();
    assert!(*lease.borrow(), "its lease has moved");
    assert_eq!(drain(&mut other.consumer()).await.unwrap(), [Step::Applied { fresh: 3, duplicates: 0 }]);
    // It wakes up and goes on where it was.
    assert!(matches!(step.await, Err(Failure::Transient(_))));
    sleepers_keeper.step().await.unwrap_err();
    assert!(!*asleep.borrow(), "it has noticed");
    assert_eq!(drain(&mut sleeper).await.unwrap(), []);
    assert_eq!(platform.applied().await, [1, 2, 3]);
    assert_eq!(platform.pending().await, 0);
}

#[sqlx::test(migrations = false)]
async fn a_reader_that_slept_through_its_replacement_does_no_harm(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.publish_all([1]).await;
    platform.published(STREAM).await;
    let (mut sleeper, mut other) = (platform.consumer(), platform.consumer());
    drain(&mut sleeper).await.unwrap();
    platform.publish_all([2]).await;
    platform.published(STREAM).await;
    drain(&mut other).await.unwrap();
    // The stopped reader still has the watermark at 1, and is given 2 once more.
    platform.redis(&["XGROUP", "SETID", STREAM, SERVICE.group, "1-0"]).await;
    assert!(matches!(drain(&mut sleeper).await, Err(Failure::Transient(_))));
    drain(&mut sleeper).await.unwrap();
    assert_eq!(platform.applied().await, [1, 2]);
    assert_eq!(platform.pending().await, 0);
}

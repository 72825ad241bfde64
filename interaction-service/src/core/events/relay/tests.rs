//! The relay's own habits: what it checks with every step, and in which pieces it appends. The promise that it keeps is
//! proved in `events/tests`.
use redis::AsyncCommands;
use redis::streams::StreamRangeReply;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::*;
use crate::SERVICE;
use crate::core::events::outbox::{publish, publish_all};
use crate::core::testing::Platform;

/// A stream that the service under test publishes.
fn stream() -> &'static str {
    SERVICE.publishes[0]
}

impl Platform {
    async fn write(&self, messages: &[Value]) {
        let mut tx = self.app.db.begin().await.unwrap();
        publish_all(&mut tx, stream(), messages).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// What the stream holds, with the ids.
    async fn held(&self) -> Vec<(String, Value)> {
        let entries: StreamRangeReply = self.app.redis.clone().xrange_all(stream()).await.unwrap();
        let message = |entry: &redis::streams::StreamId| entry.get::<String>("message").unwrap();
        entries.ids.iter().map(|entry| (entry.id.clone(), serde_json::from_str(&message(entry)).unwrap())).collect()
    }
}

fn dense(messages: &[Value]) -> Vec<(String, Value)> {
    messages.iter().enumerate().map(|(n, message)| (format!("{}-0", n + 1), message.clone())).collect()
}

fn numbers(range: std::ops::Range<i64>) -> Vec<Value> {
    range.map(|n| json!({ "n": n })).collect()
}

#[sqlx::test(migrations = false)]
async fn a_step_publishes_all_that_waits_in_order(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let mut relay = Relay::new(&platform.app);
    assert_ne!(relay.step().await.unwrap(), Outcome::Busy);
    // More than go into one batch, published together and alone.
    platform.write(&numbers(0..1200)).await;
    let mut tx = platform.app.db.begin().await.unwrap();
    publish(&mut tx, stream(), &json!({ "n": 1200 })).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(relay.step().await.unwrap(), Outcome::Busy);
    assert_eq!(platform.held().await, dense(&numbers(0..1201)));
    assert_ne!(relay.step().await.unwrap(), Outcome::Busy);
}

#[sqlx::test(migrations = false)]
async fn events_of_a_transaction_that_is_rolled_back_are_not_published(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let mut tx = platform.app.db.begin().await.unwrap();
    publish_all(&mut tx, stream(), &numbers(0..3)).await.unwrap();
    tx.rollback().await.unwrap();
    platform.write(&[]).await;
    assert_ne!(Relay::new(&platform.app).step().await.unwrap(), Outcome::Busy);
    assert_eq!(platform.held().await, []);
}

#[sqlx::test(migrations = false)]
async fn what_redis_lost_comes_back_when_nothing_new_is_published(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let mut relay = Relay::new(&platform.app);
    platform.write(&numbers(0..3)).await;
    relay.step().await.unwrap();
    redis::cmd("FLUSHDB").query_async::<()>(&mut platform.app.redis.clone()).await.unwrap();
    // It checked a moment ago; a second later it checks again.
    assert_ne!(relay.step().await.unwrap(), Outcome::Busy);
    relay.last_full_check = None;
    assert_eq!(relay.step().await.unwrap(), Outcome::Busy);
    assert_eq!(platform.held().await, dense(&numbers(0..3)));
}

#[sqlx::test(migrations = false)]
async fn what_was_numbered_by_one_that_died_goes_before_what_is_new(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let mut relay = Relay::new(&platform.app);
    relay.step().await.unwrap();
    platform.write(&numbers(0..3)).await;
    number(&platform.app.db, &mut platform.app.redis.clone(), stream(), Id::default()).await.unwrap();
    assert_eq!(relay.step().await.unwrap(), Outcome::Busy, "nothing waits for a number, and it is seen all the same");
    platform.write(&numbers(3..4)).await;
    number(&platform.app.db, &mut platform.app.redis.clone(), stream(), Id { ms: 3, seq: 0 }).await.unwrap();
    platform.write(&numbers(4..6)).await;
    assert_eq!(relay.step().await.unwrap(), Outcome::Busy);
    assert_eq!(platform.held().await, dense(&numbers(0..6)));
}

#[sqlx::test(migrations = false)]
async fn what_is_too_large_for_one_append_goes_in_pieces(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let large: Vec<Value> = (0..7).map(|n| json!({ "n": n, "text": "x".repeat(400_000) })).collect();
    platform.write(&large).await;
    assert_eq!(Relay::new(&platform.app).step().await.unwrap(), Outcome::Busy);
    assert_eq!(platform.held().await, dense(&large));
}

/// The entry of an erased person leaves the stream when all groups have read it. Behind an entry of another writer it was once taken
/// for lost, published again and counted twice.
#[sqlx::test(migrations = false)]
async fn what_was_erased_is_not_published_again_behind_another_writer(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (mut relay, mut redis) = (Relay::new(&platform.app), platform.app.redis.clone());
    platform.write(&numbers(0..2)).await;
    relay.step().await.unwrap();
    sqlx::raw_sql("update outbox set erased = true where pos = 2").execute(&platform.app.db).await.unwrap();
    redis.xdel::<_, _, ()>(stream(), &["2-0"]).await.unwrap();
    redis.xadd::<_, _, _, _, ()>(stream(), "7-0", &[("message", "7")]).await.unwrap();
    relay.last_full_check = None;
    relay.step().await.unwrap();
    assert_eq!(platform.held().await, [("1-0".to_owned(), json!({ "n": 0 })), ("7-0".to_owned(), json!(7))]);
    platform.write(&numbers(2..3)).await;
    relay.step().await.unwrap();
    assert_eq!(platform.held().await[2..], [("8-0".to_owned(), json!({ "n": 2 }))]);
}

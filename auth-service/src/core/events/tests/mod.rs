//! The promise of the event core, case by case and under the cases' names, against real Postgres and Redis. Relay and
//! consumer are stepped by hand, so that what happens between two steps is decided here. The same tests run in every
//! service.
mod consuming;
mod faults;
mod parts;
mod publishing;
mod watching;

use std::fmt::Debug;
use std::time::Duration;

use redis::{AsyncCommands, Value as RedisValue};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Executor, PgTransaction, Row};

use crate::SERVICE;
use crate::core::doors::erasure::Erasure;
use crate::core::events::consumer::{Consumer, Step};
use crate::core::events::outbox::publish;
use crate::core::events::relay::Relay;
use crate::core::events::{Effect, Event, Failure, Subscription};
use crate::core::ground::leases::LeaseManager;
use crate::core::serve::{Features, Service};
use crate::core::testing::Platform;

const STREAM: &str = "conformance";
/// How long a consumer waits for something to come: what is published is there already.
const MOMENT: Duration = Duration::from_millis(1);

/// A message whose effect is a row; some fail on purpose.
#[derive(Deserialize)]
struct Message {
    n: i64,
    #[serde(default)]
    fails: Option<String>,
}

const BLOCK: &str =
    "set local lock_timeout = 0; set local statement_timeout = 0; select pg_advisory_xact_lock_shared(1)";

fn record<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        for event in events {
            let message: Message = serde_json::from_str(&event.message)?;
            match message.fails.as_deref() {
                Some("permanently") => return Err(Failure::Permanent("it breaks a rule".into())),
                // In the middle of the transaction, for as long as a test has the lock.
                Some("when let go") => {
                    tx.execute(BLOCK).await?;
                }
                Some("until it is mended") if tx.fetch_optional("select from back_again").await?.is_none() => {
                    return Err(Failure::Permanent("it is broken".into()));
                }
                Some("somehow") => return Err(Failure::Unknown("for an unknown reason".into())),
                // Away until a test puts a row into the table.
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

fn subscription() -> Subscription {
    Subscription::new(STREAM, record)
}

/// The service at hand, which publishes and consumes that stream instead of its own.
static CONFORMANCE: Service = Service {
    publishes: &[STREAM],
    erasure: Erasure { confirmed_on: None, ..SERVICE.erasure },
    features: |_, _| Ok(Features { subscriptions: vec![subscription()], ..Features::default() }),
    ..SERVICE
};

/// A service with a table for effects.
async fn start(database: PgConnectOptions) -> Platform {
    start_with(database, &[]).await
}

async fn start_with(database: PgConnectOptions, settings: &[&str]) -> Platform {
    let platform = Platform::start(&CONFORMANCE, database, settings).await;
    let tables = "create table applied (place bigserial, n bigint); create table back_again (since timestamptz);";
    platform.app.db.execute(tables).await.unwrap();
    platform
}

impl Platform {
    async fn publish(&self, message: Value) {
        let mut tx = self.app.db.begin().await.unwrap();
        publish(&mut tx, STREAM, &message).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn publish_all(&self, numbers: impl IntoIterator<Item = i64>) {
        for n in numbers {
            self.publish(json!({ "n": n })).await;
        }
    }

    async fn publish_as_the_original(&self, numbers: impl IntoIterator<Item = i64>) {
        for n in numbers {
            let (id, message) = (format!("1795187405079-{n}"), json!({ "n": n }).to_string());
            self.redis(&["XADD", STREAM, &id, "message", &message, "type", "json"]).await;
        }
    }

    /// Publishes events that block their consumer in the middle of its transaction, until what is returned is dropped.
    async fn publish_and_block(&self, numbers: impl IntoIterator<Item = i64>) -> PgTransaction<'static> {
        for n in numbers {
            self.publish(json!({ "n": n, "fails": "when let go" })).await;
        }
        let mut holder = self.app.db.begin().await.unwrap();
        holder.execute("select pg_advisory_xact_lock(1)").await.unwrap();
        holder
    }

    /// Whether a consumer is blocked.
    async fn is_blocked(&self) -> bool {
        let waiting = "select count(*) > 0 as waiting from pg_locks join pg_database on pg_database.oid = database
            where locktype = 'advisory' and not granted and datname = current_database()";
        self.app.db.fetch_one(waiting).await.unwrap().get("waiting")
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

    fn lease_manager(&self) -> LeaseManager {
        LeaseManager::new(self.app.direct.clone(), self.service.schema)
    }

    fn consumer(&self) -> Consumer {
        Consumer::new(self.app.clone(), subscription(), tokio::sync::watch::channel(true).1)
    }
}

/// Steps a consumer until there is nothing more; what it did.
async fn drain(consumer: &mut Consumer) -> Result<Vec<Step>, Failure> {
    let mut steps = Vec::new();
    for _ in 0..100 {
        match consumer.consume(MOMENT).await? {
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

/// Publishes what waits, through failures that pass: connections are made again in their own time.
async fn relay_through(relay: &mut Relay) {
    let mut failures = Vec::new();
    for _ in 0..10 {
        match relay.relay(STREAM).await {
            Ok(_) => return,
            Err(failure) => failures.push(failure),
        }
    }
    panic!("it does not recover: {failures:?}");
}

/// Lets a step go on until something is so, and no further: a step that is dropped then has crashed there, one that is
/// kept is stopped.
async fn until<T: Debug>(step: &mut (impl Future<Output = T> + Unpin), is_so: impl AsyncFn() -> bool) {
    while !is_so().await {
        let polled = futures::poll!(&mut *step);
        assert!(polled.is_pending(), "the step went on to its end: {polled:?}");
    }
}

fn dense(last: usize) -> Vec<String> {
    (1..=last).map(|n| format!("{n}-0")).collect()
}

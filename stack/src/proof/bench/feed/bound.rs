//! The home feed against what Redis and Postgres can answer at all: the same page by a bare driver, which reads the reader's
//! sorted set and carries out the two statements of the service, and does nothing with what it gets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use redis::aio::MultiplexedConnection;
use sqlx::pool::PoolConnection;
use sqlx::types::Uuid;
use sqlx::{AssertSqlSafe, Postgres, Row, SqlSafeStr, SqlStr};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::host::console;
use crate::proof::bench::comparison::Comparison;
use crate::proof::bench::database::{self, sql};
use crate::proof::bench::feed::audience::{Audience, Reader};
use crate::proof::bench::options::Feed;
use crate::proof::bench::rates;
use crate::proof::bench::report::Measurement;
use crate::proof::bench::statements;
use crate::system::ENGAGEMENT;

/// Words that only the statement has that selects the keys of a page, and only the one that loads its items.
const SELECT: &str = "order by candidate.feed_key desc limit $5";
const LOAD: &str = "from unnest($2::uuid[]) with ordinality as given (feed_key, turn)";
/// Items on a page; one more is selected, to know whether there is a next page; and some more are read from Redis, in case the
/// reader does not see all of them any more.
const PAGE: usize = 50;
const SELECTED: i64 = 51;
const READ: isize = 67;

/// Measures pages of 50 items whose feeds are in Redis.
pub async fn measure(options: &Feed, audience: &Audience<'_>) -> Result<Measurement> {
    let turns = &options.turns;
    console::info(format_args!("GET /me/feed against a bare driver: {} rounds", turns.rounds));
    let readers = audience.usual();
    let load = audience.home_feeds(&readers).await?;
    let bare = BareDriver::new(audience, &readers)?;
    let time = Duration::from_secs(turns.seconds.into());
    let comparison =
        Comparison::run(turns.rounds, async || Ok(load.closed(time).await?.rate()), async || bare.rate(time).await)
            .await?;
    let row = rates::row(&load, &comparison, "GET /me/feed", turns).await?;
    let description = format!(
        "{}. {} of them read their home feed in turn over {} connections: 50 items, with the feed in Redis. The upper limit \
         is a bare driver over as many connections to Redis and to Postgres, in a runtime of its own: `ZREVRANGE`, then the two \
         prepared statements of the service (from its `.sqlx`, as its role), whose rows it drops. It has no HTTP, no token, no \
         JSON. The goal is a share of 0.6.",
        audience.described(),
        readers.len(),
        turns.connections,
    );
    Ok(Measurement {
        title: "A home feed against a bare driver".to_owned(),
        description,
        rows: vec![rates::head("bare pages/s"), row],
    })
}

/// Pages as they are without a service.
#[derive(Clone)]
struct BareDriver {
    /// The people that read in turn, and the keys of their feeds.
    feeds: Arc<[(Uuid, String)]>,
    select: SqlStr,
    load: SqlStr,
    redis: redis::Client,
    database: reqwest::Url,
    connections: u32,
}

impl BareDriver {
    fn new(audience: &Audience<'_>, readers: &[&Reader]) -> Result<BareDriver> {
        let platform = &audience.platform.base;
        let statement =
            |words| Ok::<_, anyhow::Error>(AssertSqlSafe(statements::find(&ENGAGEMENT, words)?).into_sql_str());
        Ok(BareDriver {
            feeds: readers.iter().map(|reader| (reader.id, reader.key())).collect(),
            select: statement(SELECT)?,
            load: statement(LOAD)?,
            redis: redis::Client::open(platform.redis.as_str()).context("the address of Redis is none")?,
            database: platform.config.database(&ENGAGEMENT)?,
            connections: audience.connections,
        })
    }

    /// Pages per second, as many as the connections can carry for a time.
    async fn rate(&self, time: Duration) -> Result<f64> {
        // As the service has: this program's own has one thread.
        let runtime = Runtime::new().context("a second runtime cannot be started")?;
        let driver = self.clone();
        let outcome = runtime.spawn(async move { driver.run(time).await }).await;
        // Inside of another runtime the end must not be waited for.
        runtime.shutdown_background();
        outcome.context("the bare driver has panicked")?
    }

    async fn run(&self, time: Duration) -> Result<f64> {
        let pool = database::open(&self.database, ENGAGEMENT.noun, self.connections).await?;
        let mut lines = Vec::new();
        for number in 0..self.connections {
            let (redis, postgres) = (self.redis.get_multiplexed_async_connection().await?, pool.acquire().await?);
            let mut line = BareLine { redis, postgres };
            // The statements are prepared before the time runs.
            self.page(&mut line, number as usize).await?;
            lines.push(line);
        }
        let (begin, next, mut workers) = (Instant::now(), Arc::new(AtomicUsize::new(0)), JoinSet::new());
        for mut line in lines {
            let (driver, next) = (self.clone(), next.clone());
            workers.spawn(async move {
                let mut pages = 0_u32;
                while begin.elapsed() < time {
                    driver.page(&mut line, next.fetch_add(1, Ordering::Relaxed)).await?;
                    pages += 1;
                }
                Ok::<_, anyhow::Error>(pages)
            });
        }
        let mut pages = 0.0;
        while let Some(ended) = workers.join_next().await {
            pages += f64::from(ended.context("a connection has panicked")??);
        }
        Ok(pages / begin.elapsed().as_secs_f64())
    }

    /// One page of the reader whose turn it is.
    async fn page(&self, line: &mut BareLine, turn: usize) -> Result<()> {
        let (reader, feed) = &self.feeds[turn % self.feeds.len()];
        let mut newest = redis::cmd("ZREVRANGE");
        let members: Vec<Vec<u8>> = newest.arg(feed).arg(0).arg(READ - 1).query_async(&mut line.redis).await?;
        let given = members.iter().map(|member| Uuid::from_slice(member)).collect::<Result<Vec<_>, _>>()?;
        let end = *given.last().context("the feed of a reader is not in Redis")?;
        let select = sql(self.select.clone()).bind(*reader).bind(given).bind(end).bind(Uuid::max());
        let selected = select.bind(SELECTED).fetch_all(&mut *line.postgres).await?;
        let keys = selected.iter().take(PAGE).map(|row| row.try_get(0)).collect::<Result<Vec<Uuid>, _>>()?;
        let items = keys.len();
        let loaded = sql(self.load.clone()).bind(*reader).bind(keys).fetch_all(&mut *line.postgres).await?;
        ensure!(loaded.len() == items, "{} of {items} items of a page are there", loaded.len());
        Ok(())
    }
}

/// A connection to each of the two.
struct BareLine {
    redis: MultiplexedConnection,
    postgres: PoolConnection<Postgres>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statements_of_a_page_are_found_and_take_what_the_driver_binds() {
        let parameters = |words| (1..=9).take_while(|n| find(words).contains(&format!("${n}"))).count();
        assert_eq!((parameters(SELECT), parameters(LOAD)), (5, 2));
    }

    fn find(words: &str) -> String {
        statements::find(&ENGAGEMENT, words).unwrap()
    }
}

//! A Redis that lost everything: how long until it has all of the outbox again, and until a consumer has found that it had
//! applied all of it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sqlx::PgPool;
use tokio::time::Instant;

use crate::host::console;
use crate::proof::bench::database::ask;
use crate::proof::bench::events::backlog::EventKind;
use crate::proof::bench::platform::{MeasuredPlatform, process};
use crate::proof::bench::report::{Measurement, row};
use crate::proof::poll;
use crate::proof::redis::{ConsumerGroup, RedisInspector};
use crate::system::POST;

/// How often the progress is read.
const EVERY: Duration = Duration::from_millis(20);
/// How long all of it may take.
const REFILL_TIMEOUT: Duration = Duration::from_mins(5);
/// The consumer group that gets everything again.
const GROUP: &str = "post_group";

/// Empties Redis while the producer and one consumer run, and measures how it fills again.
pub async fn measure(platform: &mut MeasuredPlatform<'_>, kind: &EventKind) -> Result<Measurement> {
    let consumer = process(&POST);
    platform.base.start(&[consumer]).await?;
    let tables = platform.tables.clone();
    let streams: Vec<(String, i64)> =
        ask("select stream, last_pos from interaction.relay_state where last_pos > 0").fetch_all(&tables).await?;
    let events: i64 = streams.iter().map(|(_, last)| last).sum();
    let (_, again) = streams.iter().find(|(stream, _)| stream == kind.stream).context("no event was published")?;
    console::info(format_args!("FLUSHALL: {events} events are in the outbox"));
    let mut redis = platform.redis().await?;
    let counted = views(&tables).await?;

    redis.flush_all().await?;
    let began = Instant::now();
    poll::until("Redis is full again", REFILL_TIMEOUT, EVERY, async || is_full(&mut redis, &streams).await).await?;
    let full = began.elapsed();
    let through = async || is_through(&mut redis, kind.stream, *again).await;
    poll::until("the consumer is through", REFILL_TIMEOUT, EVERY, through).await?;
    let applied = began.elapsed();
    platform.base.kill(&[consumer]).await?;
    ensure!(views(&tables).await? == counted, "what was delivered again was counted again");

    let seconds = |took: Duration| format!("{:.1} s", took.as_secs_f64());
    let description = format!(
        "`FLUSHALL` while the outbox of the interaction service holds {events} events of the last seven days and the post \
         service has applied them: how long until Redis holds them again (the relay checks once a second whether it does), \
         and until the post service, which gets {again} of them a second time, has found that there is nothing to do."
    );
    let rows = vec![
        row(["events", "in Redis again after", "delivered again", "through after"]),
        row([&events.to_string(), &seconds(full), &again.to_string(), &seconds(applied)]),
    ];
    Ok(Measurement { title: "Redis loses everything".to_owned(), description, rows })
}

async fn is_full(redis: &mut RedisInspector, streams: &[(String, i64)]) -> Result<bool> {
    for (stream, last) in streams {
        if redis.last_number(stream).await? < *last {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn is_through(redis: &mut RedisInspector, stream: &str, last: i64) -> Result<bool> {
    let groups = redis.groups(stream).await?;
    let through = |group: &ConsumerGroup| group.pending == 0 && group.last_delivered == format!("{last}-0");
    Ok(groups.iter().any(|group| group.name == GROUP && through(group)))
}

async fn views(tables: &PgPool) -> Result<i64> {
    let (views,): (i64,) = ask("select sum(total_views)::bigint from post.post").fetch_one(tables).await?;
    Ok(views)
}

//! A Redis that lost everything: how long until it has all of the outbox again, and until a listener has seen that it
//! had all of it.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use sqlx::PgPool;
use tokio::time::{Instant, interval};

use crate::host::console;
use crate::proof::bench::database::ask;
use crate::proof::bench::events::backlog::Kind;
use crate::proof::bench::events::drain::last_id;
use crate::proof::bench::platform::Platform;
use crate::proof::bench::section::{Part, row};
use crate::proof::redis::{Group, Redis};
use crate::system::POST;

/// How often it is looked how far it is.
const EVERY: Duration = Duration::from_millis(20);
/// How long all of it may take.
const PATIENCE: Duration = Duration::from_mins(5);
/// The listener that gets everything again.
const GROUP: &str = "post_group";

/// Empties Redis while the producer and one listener run, and looks on while it fills again.
pub async fn measure(platform: &mut Platform<'_>, kind: &Kind) -> Result<Part> {
    platform.start_services(&[POST]).await?;
    let tables = platform.tables.clone();
    let told: Vec<(String, i64)> =
        ask("select stream, last_pos from interaction.relay_state where last_pos > 0").fetch_all(&tables).await?;
    let events: i64 = told.iter().map(|(_, last)| last).sum();
    let (_, again) = told.iter().find(|(stream, _)| stream == kind.stream).context("nothing was told")?;
    console::tell(format_args!("FLUSHALL: {events} events are in the outbox"));
    let mut redis = platform.redis().await?;
    let counted = views(&tables).await?;

    redis.flush_all().await?;
    let began = Instant::now();
    until(async || is_full(&mut redis, &told).await).await.context("Redis is not full again")?;
    let full = began.elapsed();
    until(async || is_heard(&mut redis, kind.stream, *again).await).await.context("the listener is not through")?;
    let heard = began.elapsed();
    platform.kill(&[POST]).await?;
    ensure!(views(&tables).await? == counted, "what was delivered again was counted again");

    let seconds = |took: Duration| format!("{:.1} s", took.as_secs_f64());
    let says = format!(
        "`FLUSHALL` while the outbox of the interaction service holds {events} events of the last seven days and the post \
         service has applied them: how long until Redis holds them again (the relay looks once a second whether it does), \
         and until the post service, which gets {again} of them a second time, has found that there is nothing to do."
    );
    let rows = vec![
        row(["events", "in Redis again after", "delivered again", "through after"]),
        row([&events.to_string(), &seconds(full), &again.to_string(), &seconds(heard)]),
    ];
    Ok(Part { title: "Redis loses everything".to_owned(), says, rows })
}

async fn is_full(redis: &mut Redis, told: &[(String, i64)]) -> Result<bool> {
    for (stream, last) in told {
        if last_id(redis, stream).await? < *last {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn is_heard(redis: &mut Redis, stream: &str, last: i64) -> Result<bool> {
    let groups = redis.groups(stream).await?;
    let through = |group: &Group| group.pending == 0 && group.last_delivered == format!("{last}-0");
    Ok(groups.iter().any(|group| group.name == GROUP && through(group)))
}

async fn views(tables: &PgPool) -> Result<i64> {
    let (views,): (i64,) = ask("select sum(total_views)::bigint from post.post").fetch_one(tables).await?;
    Ok(views)
}

async fn until(mut so: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let (began, mut turns) = (Instant::now(), interval(EVERY));
    while !so().await? {
        if began.elapsed() > PATIENCE {
            bail!("not so after {} s", PATIENCE.as_secs());
        }
        turns.tick().await;
    }
    Ok(())
}

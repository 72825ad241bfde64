//! Retention: how soon the outbox has forgotten an old day, and what writers notice of it.

use std::time::Duration;

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Executor, PgPool};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::host::console;
use crate::proof::bench::database::ask;
use crate::proof::bench::events::write::write;
use crate::proof::bench::latency::{LatencyHistogram, milliseconds};
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::{Measurement, row};
use crate::proof::bench::resident::mebibytes;
use crate::system::INTERACTION;

/// Connections that write at once.
const CONNECTIONS: u32 = 4;
/// How long they write, alone and with the retention in the middle.
const TURN: Duration = Duration::from_secs(20);

/// Fills the part of a day that is neither today nor near it, and empties it while comments are written and no service runs.
pub async fn measure(platform: &MeasuredPlatform<'_>, events: i64) -> Result<Measurement> {
    console::info(format_args!("Retention: a day of {events} events"));
    let tables = platform.tables_of(&INTERACTION, CONNECTIONS + 1).await?;
    let slot = "select ((extract(epoch from now())::bigint / 86400 + 5) % 10)::int";
    let (slot,): (i32,) = ask(slot).fetch_one(&tables).await?;
    let events_of_day = format!(
        "insert into outbox (event_id, stream, pos, prev, message, occurred_at, slot)
        select gen_random_uuid(), 'bench_day', n, n - 1 || '-0', bench.payload('post_viewed', post, n),
            now() - interval '8 days', {slot}
        from generate_series(1, {events}) as n join post.post on post.id = md5('post ' || n % 1000)::uuid"
    );
    tables.execute(AssertSqlSafe(events_of_day)).await.context("the day cannot be written")?;
    let full = size(&tables).await?;
    // What the day has left to be written back does not slow down one of the two turns alone.
    tables.execute("checkpoint").await?;
    let alone = turn(&tables).await?;
    let retention = async {
        sleep(TURN / 2).await;
        empty(&tables, slot).await
    };
    let (beside, (locked, took)) = tokio::try_join!(turn(&tables), retention)?;
    let after = size(&tables).await?;
    let description = format!(
        "A day of {events} views that were published eight days ago leaves the outbox of the interaction service, by the statements of \
         its retention: the part is locked, its last event looked at, the part truncated, and that is committed; Postgres removes the \
         files behind the commit, when nothing is locked any more. Meanwhile {CONNECTIONS} connections write comments with their events \
         for {} s, and for as long without it before; they have written {} and {}. Sizes are those of all parts with their indexes.",
        TURN.as_secs(),
        beside.count(),
        alone.count()
    );
    let p99 = |latencies: &LatencyHistogram| milliseconds(latencies.quantile(0.99));
    let longest = |latencies: &LatencyHistogram| milliseconds(latencies.quantile(1.0));
    let rows = vec![
        row([
            "outbox with the day",
            "locked for",
            "emptied in",
            "outbox after it",
            "",
            "p99 of a write",
            "the longest",
        ]),
        row([&full, &milliseconds(locked), &milliseconds(took), &after, "beside it", &p99(&beside), &longest(&beside)]),
        row(["", "", "", "", "alone", &p99(&alone), &longest(&alone)]),
    ];
    Ok(Measurement { title: "The retention of a day".to_owned(), description, rows })
}

/// Empties a part, as the service does it; how long until it commits, up to which the part is locked, and until that is done.
async fn empty(tables: &PgPool, slot: i32) -> Result<(Duration, Duration)> {
    let statements = format!(
        "set local lock_timeout = '200ms'; lock table outbox_{slot} in access exclusive mode;
        select occurred_at from outbox where slot = {slot} order by seq desc limit 1; truncate outbox_{slot}"
    );
    let began = Instant::now();
    let mut tx = tables.begin().await?;
    tx.execute(AssertSqlSafe(statements)).await.context("the day cannot be emptied")?;
    let locked = began.elapsed();
    tx.commit().await?;
    Ok((locked, began.elapsed()))
}

/// How long each comment takes, of all connections together.
async fn turn(tables: &PgPool) -> Result<LatencyHistogram> {
    let (post,): (String,) = ask("select id::text from post limit 1").fetch_one(tables).await?;
    let end = Instant::now() + TURN;
    let mut writers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (tables, post) = (tables.clone(), post.clone());
        writers.spawn(async move {
            let mut latencies = LatencyHistogram::new()?;
            while Instant::now() < end {
                let began = Instant::now();
                write(&tables, &post, true).await.context("a comment cannot be written")?;
                latencies.record(began.elapsed())?;
            }
            anyhow::Ok(latencies)
        });
    }
    let mut all = LatencyHistogram::new()?;
    while let Some(latencies) = writers.join_next().await {
        all.add(&latencies.context("a writer has panicked")??)?;
    }
    Ok(all)
}

/// What the outbox takes on the disk.
async fn size(tables: &PgPool) -> Result<String> {
    let size = "select sum(pg_total_relation_size(relid))::bigint from pg_partition_tree('outbox')";
    let (size,): (i64,) = ask(size).fetch_one(tables).await?;
    Ok(mebibytes(u64::try_from(size).ok()))
}

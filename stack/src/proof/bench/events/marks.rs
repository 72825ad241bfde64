//! Notes of when effects were committed: each listener's watermark moves in the transaction of the effects, and a trigger
//! writes down how far. Postgres itself notes when that transaction was committed (`track_commit_timestamp`).

use std::time::Duration;

use anyhow::{Context, Result, bail};
use sqlx::{AssertSqlSafe, Executor, PgPool};
use tokio::time::{Instant, interval};

use crate::proof::bench::database::ask;

/// How long the last effects may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often it is looked whether they are there.
const EVERY: Duration = Duration::from_millis(50);

const NOTES: &str = "
    create schema bench;
    create table bench.mark (noun text, stream text, ms bigint, primary key (noun, stream, ms));
    create function bench.note() returns trigger language plpgsql security definer as $$
    begin
        insert into bench.mark values (tg_table_schema, new.stream, new.ms) on conflict do nothing;
        return null;
    end $$;";

/// Begins to note how far these listeners are.
pub async fn begin(tables: &PgPool, listeners: &[&str]) -> Result<()> {
    tables.execute(NOTES).await.context("the notes cannot be set up")?;
    for noun in listeners {
        let trigger = format!(
            "grant usage on schema bench to {noun};
            create trigger note after update on {noun}.inbox for each row execute function bench.note()"
        );
        tables.execute(AssertSqlSafe(trigger)).await.with_context(|| format!("{noun} cannot be noted"))?;
    }
    Ok(())
}

/// Ends the notes, so that what is measured next is not slowed down by them.
pub async fn end(tables: &PgPool, listeners: &[&str]) -> Result<()> {
    for noun in listeners {
        tables.execute(AssertSqlSafe(format!("drop trigger note on {noun}.inbox"))).await?;
    }
    Ok(())
}

/// Waits until so many listeners have applied a stream up to a number.
pub async fn wait(tables: &PgPool, stream: &str, number: i64, listeners: usize) -> Result<()> {
    let (began, mut turns) = (Instant::now(), interval(EVERY));
    loop {
        turns.tick().await;
        let (done,): (i64,) = ask("select count(distinct noun) from bench.mark where stream = $1 and ms >= $2")
            .bind(stream.to_owned())
            .bind(number)
            .fetch_one(tables)
            .await?;
        if usize::try_from(done)? >= listeners {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            bail!(
                "{done} of {listeners} listeners have applied {stream} up to {number}, after {} s",
                PATIENCE.as_secs()
            );
        }
    }
}

//! The upper limits of a drain: the same entries appended to Redis, and as many posts counted in Postgres, without any care
//! that none is lost or counted twice.

use anyhow::{Context, Result};
use tokio::time::Instant;

use crate::host::console;
use crate::proof::bench::database::{ask, sql};
use crate::proof::bench::events::backlog::EventKind;
use crate::proof::bench::platform::MeasuredPlatform;
use crate::system::POST;

/// Entries of a batch, as many as the services take at once.
const BATCH: usize = 500;
/// Batches that are measured, of which the first tenth does not count.
const BATCHES: u32 = 220;
const WARM_UP: u32 = 20;
/// The stream that holds the entries; it has no consumer.
const STREAM: &str = "bench:limit";

const COUNT: &str = "update post set total_views = total_views + 1 from unnest($1::text[]) as seen (id)
    where post.id = seen.id::uuid";

/// Events per second at most.
#[derive(Debug, Clone, Copy)]
pub struct UpperLimits {
    /// Into Redis: `XADD`, a pipeline for each batch.
    pub append: f64,
    /// Into the tables of the post service: an update and a commit for each batch.
    pub update: f64,
}

impl UpperLimits {
    /// Measures both with events of this kind, while no service runs.
    pub async fn measure(platform: &MeasuredPlatform<'_>, kind: &EventKind) -> Result<UpperLimits> {
        console::info("What bounds a drain");
        Ok(UpperLimits { append: append(platform, kind).await?, update: update(platform).await? })
    }
}

async fn append(platform: &MeasuredPlatform<'_>, kind: &EventKind) -> Result<f64> {
    let query = "select event_id::text, prev, occurred_at::text, message::text, traceparent from interaction.outbox
        where stream = $1 and pos is not null order by seq desc limit 500";
    let events: Vec<(String, String, String, String, String)> =
        ask(query).bind(kind.stream).fetch_all(&platform.tables).await?;
    let entries: Vec<_> = events
        .iter()
        .map(|(id, prev, at, message, trace)| {
            [
                ("message", message.as_str()),
                ("type", "json"),
                ("event_id", id),
                ("prev", prev),
                ("occurred_at", at),
                ("source", "interaction-service"),
                ("version", "1"),
                ("traceparent", trace),
            ]
        })
        .collect();
    anyhow::ensure!(entries.len() == BATCH, "there are only {} events of {}", entries.len(), kind.stream);
    let mut redis = platform.redis().await?;
    let rate = rate(async || redis.append(STREAM, &entries).await).await;
    redis.delete(STREAM).await?;
    rate
}

async fn update(platform: &MeasuredPlatform<'_>) -> Result<f64> {
    let tables = platform.tables_of(&POST, 1).await?;
    let posts: Vec<(String,)> = ask("select id::text from post order by id limit 500").fetch_all(&tables).await?;
    let posts: Vec<String> = posts.into_iter().map(|(id,)| id).collect();
    anyhow::ensure!(posts.len() == BATCH, "there are only {} posts", posts.len());
    rate(async || {
        let counted = sql(COUNT).bind(&posts).execute(&tables).await.context("posts cannot be counted")?;
        anyhow::ensure!(counted.rows_affected() == BATCH as u64, "{} posts were counted", counted.rows_affected());
        Ok(())
    })
    .await
}

/// Events per second of a batch that is repeated.
async fn rate(mut batch: impl AsyncFnMut() -> Result<()>) -> Result<f64> {
    for _ in 0..WARM_UP {
        batch().await?;
    }
    let began = Instant::now();
    for _ in WARM_UP..BATCHES {
        batch().await?;
    }
    let events = u32::try_from(BATCH)? * (BATCHES - WARM_UP);
    Ok(f64::from(events) / began.elapsed().as_secs_f64())
}

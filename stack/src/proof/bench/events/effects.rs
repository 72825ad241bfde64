//! How long after an event was committed by its producer its effect is committed by each consumer.
//!
//! Each consumer's watermark moves in the transaction of the effects, and a trigger records how far. Postgres itself records
//! when a transaction was committed (`track_commit_timestamp`).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sqlx::{AssertSqlSafe, Executor, PgPool};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::client::Person;
use crate::host::console;
use crate::proof::bench::database::ask;
use crate::proof::bench::latency::{LatencyHistogram, milliseconds};
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::{Measurement, row};
use crate::proof::poll;

/// Of all streams it has the most consumers, and its producer keeps a row whose commit time can be queried.
const STREAM: &str = "post_comment_created";
const CONSUMERS: [&str; 3] = ["post", "moderation", "engagement"];
/// How many people write comments, and how many posts there are to comment on.
const PEOPLE: u32 = 10;
const POSTS: usize = 50;
/// How long the load lasts before it is measured, in seconds: connections open, caches fill.
const WARM_UP: u32 = 5;

const COMMENT: &str = "Well said. I had not looked at it in this way before, and now I cannot look at it in any other.";

const RECORD_WATERMARKS: &str = include_str!("watermarks.sql");

/// The comments that were measured, with their numbers in the stream, against the first transaction of each consumer that
/// reached that number.
const LATENCIES: &str = include_str!("latencies.sql");

/// Writes comments over HTTP at a fixed rate.
pub async fn measure(platform: &MeasuredPlatform<'_>, rate: u32, seconds: u32) -> Result<Measurement> {
    console::info(format_args!("Latency: {rate} comments/s for {seconds} s"));
    let tables = &platform.tables;
    begin_recording(tables).await?;
    let commenters = Commenters::sign_up(platform).await?;
    let (warm_up, _) = commenters.write(rate, WARM_UP).await?;
    let (comments, late) = commenters.write(rate, seconds).await?;
    let requested = comments.len();
    let answered: Vec<String> = comments.into_iter().flatten().collect();
    if answered.is_empty() {
        bail!("none of {requested} comments was answered with success");
    }
    let (numbered,): (i64,) = ask("select last_pos from interaction.relay_state where stream = $1")
        .bind(STREAM)
        .fetch_one(tables)
        .await
        .context("no event was published")?;
    // Some may not have their number yet; then there are as many as were answered.
    let all = answered.len() + warm_up.iter().flatten().count();
    wait_until_applied(tables, numbered.max(i64::try_from(all)?)).await?;
    let latencies: Vec<(String, i64)> =
        ask(LATENCIES).bind(&answered).bind(STREAM).bind(CONSUMERS.as_slice()).fetch_all(tables).await?;
    end_recording(tables).await?;
    let description = format!(
        "{rate} comments/s are written over HTTP for {seconds} s after {WARM_UP} s of warming up, at times fixed \
         beforehand (the latest began {} late); {} of {requested} were answered with success. Measured is from the commit of \
         the comment and its event by the interaction service to the commit of the effect by each consumer, both as Postgres \
         records them (`track_commit_timestamp`).",
        milliseconds(late),
        answered.len(),
    );
    Ok(Measurement { title: "From commit to effect".to_owned(), description, rows: table(&latencies, answered.len())? })
}

async fn begin_recording(tables: &PgPool) -> Result<()> {
    tables.execute(RECORD_WATERMARKS).await.context("the table of watermarks cannot be made")?;
    for noun in CONSUMERS {
        let trigger = format!(
            "grant usage on schema bench to {noun};
            create trigger record after update on {noun}.inbox for each row execute function bench.record()"
        );
        tables.execute(AssertSqlSafe(trigger)).await.with_context(|| format!("{noun} cannot be recorded"))?;
    }
    Ok(())
}

/// What is measured next must not be slowed down by it.
async fn end_recording(tables: &PgPool) -> Result<()> {
    for noun in CONSUMERS {
        tables.execute(AssertSqlSafe(format!("drop trigger record on {noun}.inbox"))).await?;
    }
    Ok(())
}

/// Waits until all consumers have applied the stream up to a number.
async fn wait_until_applied(tables: &PgPool, number: i64) -> Result<()> {
    let what = format!("all consumers have applied {STREAM} up to {number}");
    poll::until(&what, Duration::from_mins(1), Duration::from_millis(50), async || {
        let query = ask("select count(distinct noun) from bench.mark where stream = $1 and ms >= $2");
        let (done,): (i64,) = query.bind(STREAM).bind(number).fetch_one(tables).await?;
        Ok(usize::try_from(done)? >= CONSUMERS.len())
    })
    .await
}

/// A line per consumer. Every event must have an effect, or the figures would be those of the fast ones.
fn table(latencies: &[(String, i64)], events: usize) -> Result<Vec<Vec<String>>> {
    let consumers: BTreeSet<&str> = latencies.iter().map(|(consumer, _)| consumer.as_str()).collect();
    let mut rows = vec![row(["consumer", "events", "median", "p95", "p99", "longest"])];
    for consumer in consumers {
        let mut histogram = LatencyHistogram::new()?;
        for (_, micros) in latencies.iter().filter(|(of, _)| of == consumer) {
            // Both times are of one clock, but a step of it may come in between.
            histogram.record(Duration::from_micros(u64::try_from(*micros).unwrap_or_default()))?;
        }
        if histogram.count() != events as u64 {
            bail!("{consumer} has applied {} of {events} events", histogram.count());
        }
        let [p50, p95, p99, longest] = [0.5, 0.95, 0.99, 1.0].map(|q| milliseconds(histogram.quantile(q)));
        rows.push(row([consumer, &histogram.count().to_string(), &p50, &p95, &p99, &longest]));
    }
    Ok(rows)
}

/// People, and the posts that they comment on.
struct Commenters {
    people: Arc<[Person]>,
    posts: Arc<[String]>,
}

impl Commenters {
    async fn sign_up(platform: &MeasuredPlatform<'_>) -> Result<Commenters> {
        let (people, mut posts) = (platform.sign_up(PEOPLE).await?, Vec::new());
        for number in 0..POSTS {
            let post =
                people[number % people.len()].write_post("A walk", "By the sea, and back.", &["TRAVEL"], "POSTED");
            posts.push(post.await?.id);
        }
        Ok(Commenters { people: people.into(), posts: posts.into() })
    }

    /// Writes comments at times fixed beforehand, whether those before are answered or not. The id of each that was answered
    /// with success, and the longest time by which one began late.
    async fn write(&self, rate: u32, seconds: u32) -> Result<(Vec<Option<String>>, Duration)> {
        let (begin, mut comments) = (Instant::now(), JoinSet::new());
        let mut late = Duration::ZERO;
        for number in 0..rate * seconds {
            let due = begin + Duration::from_secs(1) * number / rate;
            sleep_until(due).await;
            late = late.max(due.elapsed());
            let (people, posts, number) = (self.people.clone(), self.posts.clone(), number as usize);
            comments.spawn(async move {
                let made = people[number % people.len()].comment(&posts[number % posts.len()], COMMENT).await;
                made.ok().map(|made| made.id)
            });
        }
        let mut ids = Vec::with_capacity(comments.len());
        while let Some(ended) = comments.join_next().await {
            ids.push(ended.context("a request has panicked")?);
        }
        Ok((ids, late))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_each_consumer() {
        let of = |consumer: &'static str, from: i64| (from..from + 100).map(|n| (consumer.to_owned(), n * 1000));
        let both: Vec<_> = of("post", 1).chain(of("engagement", 101)).collect();
        let rows = table(&both, 100).unwrap();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[1][..2], ["engagement", "100"]);
        assert_eq!(rows[2], ["post", "100", "50.01 ms", "95.04 ms", "99.01 ms", "100.03 ms"]);
    }

    #[test]
    fn an_event_without_an_effect_is_not_a_fast_one() {
        let error = table(&[("post".to_owned(), 5)], 2).unwrap_err().to_string();
        assert_eq!(error, "post has applied 1 of 2 events");
    }
}

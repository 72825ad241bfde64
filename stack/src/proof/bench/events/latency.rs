//! How long after an event was committed by its producer its effect is committed by each listener.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use hdrhistogram::Histogram;

use crate::client::Person;
use crate::host::console;
use crate::proof::bench::database::ask;
use crate::proof::bench::events::marks;
use crate::proof::bench::milliseconds;
use crate::proof::bench::platform::Platform;
use crate::proof::bench::schedule::{Done, at_rate};
use crate::proof::bench::section::{Part, row};

/// What is measured: of all events it has the most listeners, and its producer keeps a row whose commit can be asked for.
const STREAM: &str = "post_comment_created";
/// Who hears it.
const LISTENERS: [&str; 3] = ["post", "moderation", "engagement"];
/// How many write comments, and how many posts there are to comment on.
const PEOPLE: usize = 10;
const POSTS: usize = 50;
/// How long the load lasts before it is measured, in seconds: connections open, caches fill.
const WARM_UP: u32 = 5;
/// The longest latency that is told apart, in microseconds, and the digits that are kept.
const LONGEST: u64 = 600_000_000;
const DIGITS: u8 = 3;

const COMMENT: &str = "Well said. I had not looked at it in this way before, and now I cannot look at it in any other.";

/// The comments that were measured, with their numbers in the stream, against the first transaction of each listener
/// that reached that number.
const LATENCIES: &str = "
    with told as (
        select outbox.pos, pg_xact_commit_timestamp(comment.xmin) as at
        from unnest($1::text[]) as answered (id)
        join interaction.comment on comment.id = answered.id::uuid
        join interaction.outbox on outbox.stream = $2 and outbox.message ->> 'id' = answered.id
    )
    select listener.noun, (extract(epoch from applied.at - told.at) * 1000000)::bigint
    from told
    cross join unnest($3::text[]) as listener (noun)
    cross join lateral (
        select pg_xact_commit_timestamp(mark.xmin) as at from bench.mark
        where mark.noun = listener.noun and mark.stream = $2 and mark.ms >= told.pos order by mark.ms limit 1
    ) as applied";

/// Writes comments over HTTP at a fixed rate.
pub async fn measure(platform: &Platform<'_>, rate: u32, seconds: u32) -> Result<Part> {
    console::tell(format_args!("Latency: {rate} comments/s for {seconds} s"));
    let tables = &platform.tables;
    marks::begin(tables, &LISTENERS).await?;
    let audience = Audience::gather(platform).await?;
    let warm_up = audience.write(rate, WARM_UP).await?;
    let Done { results, late } = audience.write(rate, seconds).await?;
    let asked = results.len();
    let answered: Vec<String> = results.into_iter().flatten().collect();
    if answered.is_empty() {
        bail!("none of {asked} comments was answered with success");
    }
    let (told,): (i64,) = ask("select last_pos from interaction.relay_state where stream = $1")
        .bind(STREAM)
        .fetch_one(tables)
        .await
        .context("nothing was told")?;
    // Some may not have their number yet; then there are as many as were answered.
    let warmed = warm_up.results.iter().flatten().count();
    let expected = told.max(i64::try_from(answered.len() + warmed)?);
    marks::wait(tables, STREAM, expected, LISTENERS.len()).await?;
    let latencies: Vec<(String, i64)> =
        ask(LATENCIES).bind(&answered).bind(STREAM).bind(LISTENERS.as_slice()).fetch_all(tables).await?;
    marks::end(tables, &LISTENERS).await?;
    let says = format!(
        "{rate} comments/s are written over HTTP for {seconds} s after {WARM_UP} s of warming up, at times fixed \
         beforehand (the latest began {} late); {} of {asked} were answered with success. Measured is from the commit of the \
         comment and its event by the interaction service to the commit of the effect by each listener, both as Postgres \
         notes them (`track_commit_timestamp`).",
        milliseconds(late),
        answered.len(),
    );
    Ok(Part { title: "From commit to effect".to_owned(), says, rows: table(&latencies, answered.len())? })
}

/// A line per listener. Every event has an effect, or the figures would be those of the quick ones.
fn table(latencies: &[(String, i64)], events: usize) -> Result<Vec<Vec<String>>> {
    let mut listeners: BTreeMap<&str, Histogram<u64>> = BTreeMap::new();
    for (listener, micros) in latencies {
        let seen = match listeners.get_mut(listener.as_str()) {
            Some(seen) => seen,
            None => listeners.entry(listener).or_insert(Histogram::new_with_max(LONGEST, DIGITS)?),
        };
        // Both commits are noted by one clock, but a step of it may come in between.
        seen.record(u64::try_from(*micros).unwrap_or_default())?;
    }
    let mut rows = vec![row(["listener", "events", "median", "p95", "p99", "longest"])];
    for (listener, seen) in listeners {
        if seen.len() != events as u64 {
            bail!("{listener} has applied {} of {events} events", seen.len());
        }
        let at = |quantile| milliseconds(Duration::from_micros(seen.value_at_quantile(quantile)));
        let (events, longest) = (seen.len().to_string(), milliseconds(Duration::from_micros(seen.max())));
        rows.push(row([listener, &events, &at(0.5), &at(0.95), &at(0.99), &longest]));
    }
    Ok(rows)
}

/// People, and the posts that they comment on.
struct Audience {
    people: Arc<[Person]>,
    posts: Arc<[String]>,
}

impl Audience {
    async fn gather(platform: &Platform<'_>) -> Result<Audience> {
        let api = platform.api()?;
        let (mut people, mut posts) = (Vec::new(), Vec::new());
        for number in 0..PEOPLE {
            let email = format!("reader.{number}@example.org");
            people.push(api.join(&email, "a long walk by the sea", ("Some", "Body"), &["BOOKS"]).await?);
        }
        for number in 0..POSTS {
            let post = people[number % PEOPLE].write_post("A walk", "By the sea, and back.", &["TRAVEL"], "POSTED");
            posts.push(post.await?.id);
        }
        Ok(Audience { people: people.into(), posts: posts.into() })
    }

    /// The ids of the comments that were answered with success, and none for each other one.
    async fn write(&self, rate: u32, seconds: u32) -> Result<Done<Option<String>>> {
        let comment = |number: u32| {
            let (people, posts) = (self.people.clone(), self.posts.clone());
            let number = number as usize;
            async move {
                let made = people[number % people.len()].comment(&posts[number % posts.len()], COMMENT).await;
                made.ok().map(|made| made.id)
            }
        };
        at_rate(rate, rate * seconds, comment).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_each_listener() {
        let of = |listener: &'static str, from: i64| (from..from + 100).map(|n| (listener.to_owned(), n * 1000));
        let both: Vec<_> = of("post", 1).chain(of("engagement", 101)).collect();
        let rows = table(&both, 100).unwrap();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[1][..2], ["engagement", "100"]);
        assert_eq!(rows[2], ["post", "100", "50.01 ms", "95.04 ms", "99.01 ms", "100.03 ms"]);
    }

    #[test]
    fn an_event_without_an_effect_is_no_quick_one() {
        let error = table(&[("post".to_owned(), 5)], 2).unwrap_err().to_string();
        assert_eq!(error, "post has applied 1 of 2 events");
    }
}

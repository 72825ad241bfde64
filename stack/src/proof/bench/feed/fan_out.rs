//! How soon a post is in the feeds of all followers of its author.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use sqlx::types::Uuid;

use crate::host::console;
use crate::proof::bench::comparison::Spread;
use crate::proof::bench::database::ask;
use crate::proof::bench::feed::audience::{Audience, key};
use crate::proof::bench::options::Feed;
use crate::proof::bench::report::{Measurement, row};
use crate::proof::poll;
use crate::proof::redis::RedisInspector;

/// How long a post may take to be in all feeds, and how often one feed is looked at.
const TIMEOUT: Duration = Duration::from_mins(1);
const EVERY: Duration = Duration::from_millis(2);

/// Has the author that all others read write posts, each when the one before is in all feeds.
pub async fn measure(options: &Feed, audience: &Audience<'_>) -> Result<Measurement> {
    let followers = audience.ids.len() - 1;
    console::info(format_args!("A post of an author with {followers} followers: {} rounds", options.turns.rounds));
    let mut redis = audience.platform.redis().await?;
    let feeds = fill_all(audience, &mut redis).await?;
    // One that does not count: connections open, caches fill.
    publish(audience, &mut redis, &feeds).await?;
    let (mut answered, mut everywhere) = (Vec::new(), Vec::new());
    for _ in 0..options.turns.rounds {
        audience.settle().await?;
        let (answer, all) = publish(audience, &mut redis, &feeds).await?;
        answered.push(answer.as_secs_f64() * 1000.0);
        everywhere.push(all.as_secs_f64() * 1000.0);
    }
    let answered = Spread::of(answered).context("there was no round")?;
    let everywhere = Spread::of(everywhere).context("there was no round")?;
    let number = u32::try_from(followers)?;
    let rate = f64::from(number) / everywhere.median * 1000.0;
    let rows = vec![
        row(["followers", "answered after, ms", "in all feeds after, ms", "feeds/s"]),
        row([&followers.to_string(), &answered.to_string(), &everywhere.to_string(), &format!("{rate:.0}")]),
    ];
    let description = format!(
        "An author with {followers} followers writes a post over HTTP, {} times. The feeds of all of them are in Redis, as long as \
         feeds get. Measured is from the request until the post is the newest of every feed, through outbox, stream, read model \
         and the pages of the fan-out. The median, the middle half and the extremes. The goal is 1,000 ms.",
        options.turns.rounds
    );
    Ok(Measurement { title: "A post on its way into all feeds".to_owned(), description, rows })
}

/// Gives every follower a feed: that of a reader, since most do not read themselves; the keys of all.
async fn fill_all(audience: &Audience<'_>, redis: &mut RedisInspector) -> Result<Vec<String>> {
    audience.warm().await?;
    let author = audience.author()?.id;
    let template = audience.usual().first().context("no one reads")?.key();
    let feeds: Vec<String> = audience.ids.iter().filter(|id| **id != author).map(|id| key(*id)).collect();
    let others: Vec<String> = feeds.iter().filter(|feed| **feed != template).cloned().collect();
    for others in others.chunks(1_000) {
        redis.copy_where_missing(&template, others).await?;
    }
    Ok(feeds)
}

/// Writes a post; after how long it was answered, and after how long it was in all feeds.
async fn publish(
    audience: &Audience<'_>,
    redis: &mut RedisInspector,
    feeds: &[String],
) -> Result<(Duration, Duration)> {
    let begin = Instant::now();
    let post = audience.author()?.person.write_post("A walk", "By the sea, and back.", &["TRAVEL"], "POSTED").await?;
    let answered = begin.elapsed();
    let (mut entry, mut missing, mut all) = (None, feeds.to_vec(), Duration::ZERO);
    poll::until("a post is in all feeds", TIMEOUT, EVERY, async || {
        if entry.is_none() {
            let place = ask("select feed_key from engagement.post_card where id = $1::uuid").bind(post.id.clone());
            entry = place.fetch_optional(&audience.platform.tables).await?.map(|(place,): (Uuid,)| place);
        }
        let (Some(entry), Some(last)) = (entry, missing.last()) else { return Ok(false) };
        // The one that is filled last stands for all: to look at every feed each time would keep Redis busy.
        if redis.newest(std::slice::from_ref(last)).await? != [entry.as_bytes()] {
            return Ok(false);
        }
        all = begin.elapsed();
        let newest = redis.newest(&missing).await?;
        let mut newest = newest.iter();
        missing.retain(|_| newest.next().is_none_or(|newest| newest != entry.as_bytes()));
        Ok(missing.is_empty())
    })
    .await?;
    Ok((answered, all))
}

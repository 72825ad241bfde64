//! Posts for people: of what they would have liked, how much is on the first page, and what that costs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use reqwest::Method;
use serde::Deserialize;
use sqlx::types::Uuid;

use crate::client::{Person, To};
use crate::host::console;
use crate::host::programs::Program;
use crate::proof::bench::database::ask;
use crate::proof::bench::latency::{LatencyHistogram, milliseconds};
use crate::proof::bench::options::Recommend;
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::{Measurement, row};
use crate::proof::poll;
use crate::servers::psql;
use crate::servers::temporary::TemporaryServers;

/// Communities.
const GROUPS: u32 = 20;
/// People who sign in, and of whose reactions some are held out.
const READERS: u32 = 200;
/// How long a pass over the posts may take.
const PASS_TIMEOUT: Duration = Duration::from_mins(30);
/// How often a list is made anew for each reader while its time is measured.
const ROUNDS: u32 = 3;
/// The posts on a page of which it is measured what they are.
const PAGE: usize = 10;

/// The best that a way of recommending can do for each reader, one page each.
type Pages = BTreeMap<Uuid, Vec<Uuid>>;

/// A recommended post, as far as it is measured.
#[derive(Deserialize)]
struct Recommended {
    id: String,
}

/// Quality where it can be known, cost where there are many people.
pub async fn measure(options: &Recommend, platform: &MeasuredPlatform<'_>) -> Result<Vec<Measurement>> {
    let quality = quality(options, platform).await?;
    let mut servers = TemporaryServers::new(&[Program::Postgres, Program::Redis]).await?;
    let cost = cost(options, &mut servers).await;
    servers.stop().await?;
    Ok(vec![quality, cost?])
}

/// The communities, whose readers have signed in, and the work that finding similar posts was.
async fn plant(platform: &MeasuredPlatform<'_>, people: u32) -> Result<(Vec<Person>, Duration)> {
    console::info(format_args!("Planting communities of {people} people"));
    let readers = platform.sign_up(READERS).await?;
    let rows: Vec<String> = (1..).zip(&readers).map(|(n, reader)| format!("({n}, '{}')", reader.id)).collect();
    let script = format!(
        "\\set people {people}\n\\set groups {GROUPS}\n\\set readers {READERS}\n\
         create schema if not exists bench; create table bench.reader (n integer primary key, id uuid not null);\n\
         insert into bench.reader values {};\n{}",
        rows.join(", "),
        include_str!("communities.sql")
    );
    psql::run(&platform.base.database, &script).await.context("communities cannot be planted")?;
    let begin =
        "update engagement.similar_pass set begun_at = clock_timestamp(), below = null, ended_at = null, worked_ms = 0";
    psql::run(&platform.base.database, begin).await?;
    let ended = "select coalesce((select worked_ms from engagement.similar_pass where ended_at is not null), -1)";
    poll::until("similar posts are found", PASS_TIMEOUT, Duration::from_millis(200), async || {
        let (worked,): (i64,) = ask(ended).fetch_one(&platform.tables).await?;
        Ok(worked >= 0)
    })
    .await?;
    let (worked,): (i64,) = ask(ended).fetch_one(&platform.tables).await?;
    Ok((readers, Duration::from_millis(u64::try_from(worked)?)))
}

/// How much of what was held out is on the first page, against the newest posts and those that most people like.
async fn quality(options: &Recommend, platform: &MeasuredPlatform<'_>) -> Result<Measurement> {
    let (readers, _) = plant(platform, options.people).await?;
    let mut recommended = Pages::new();
    for reader in &readers {
        let page: Vec<Recommended> = reader
            .api
            .ask(Method::GET, To::Engagement, &format!("/me/recommendations/posts?limit={PAGE}"), None)
            .await?;
        let page: Result<Vec<Uuid>, _> = page.into_iter().map(|post| post.id.parse()).collect();
        recommended.insert(reader.id.parse()?, page?);
    }
    let newest = same_for_all(platform, "order by feed_key desc").await?;
    let popular = same_for_all(platform, "order by reactions desc, feed_key desc").await?;
    let mut held: BTreeMap<Uuid, BTreeSet<Uuid>> = BTreeMap::new();
    for (reader, post) in
        ask::<(Uuid, Uuid)>("select reader, post from bench.held_out").fetch_all(&platform.tables).await?
    {
        held.entry(reader).or_default().insert(post);
    }
    let authors: BTreeMap<Uuid, Uuid> = ask::<(Uuid, Uuid)>("select id, user_id from engagement.post_card")
        .fetch_all(&platform.tables)
        .await?
        .into_iter()
        .collect();
    let mut rows = vec![row(["what", "recall@10", "÷ newest", "÷ most popular", "authors recommended", "Gini"])];
    let [least, most] = [&newest, &popular].map(|pages| recall(pages, &held));
    for (what, pages) in [("recommended", &recommended), ("newest", &newest), ("most popular", &popular)] {
        let recall = recall(pages, &held);
        let (coverage, gini) = spread(pages, &authors);
        rows.push(row([
            what,
            &format!("{recall:.3}"),
            &format!("{:.1}", recall / least),
            &format!("{:.1}", recall / most),
            &format!("{:.1} %", coverage * 100.0),
            &format!("{gini:.2}"),
        ]));
    }
    let description = format!(
        "{} people in {GROUPS} groups and as many posts; of 20 reactions of each person 16 are to posts of the own group by a power law, \
         and 4 are noise. Of {READERS} readers a quarter of the reactions is held out. recall@10 is the share of them on a first page of \
         10, of at most 10. The goals are 3 times the newest and 1.3 times the most popular posts. Authors are those of any post: how \
         many of them are on at least one page, and the Gini coefficient of how often; a page of each reader, so that at most {} places \
         are given.",
        options.people,
        READERS as usize * PAGE
    );
    Ok(Measurement { title: "Posts for people".to_owned(), description, rows })
}

/// The pages of a way that is the same for all, but for what each reader has reacted to or written.
async fn same_for_all(platform: &MeasuredPlatform<'_>, order: &str) -> Result<Pages> {
    let query = format!(
        "select reader.id, best.id from bench.reader as reader cross join lateral (
            select post_card.id from (
                select post_card.*, reactions from engagement.post_card join engagement.post_count on post_id = id {order} limit 300
            ) as post_card
            where user_id <> reader.id and not exists (
                select from engagement.reaction_card where post_id = post_card.id and user_id = reader.id
            ) {order} limit {PAGE}
        ) as best"
    );
    let rows = ask::<(Uuid, Uuid)>(sqlx::AssertSqlSafe(query)).fetch_all(&platform.tables).await?;
    let mut pages = Pages::new();
    for (reader, post) in rows {
        pages.entry(reader).or_default().push(post);
    }
    Ok(pages)
}

/// The mean share of what was held out for a reader that is on their page.
fn recall(pages: &Pages, held: &BTreeMap<Uuid, BTreeSet<Uuid>>) -> f64 {
    let shares = held.iter().map(|(reader, held)| {
        let found = pages.get(reader).map_or(0, |page| page.iter().filter(|post| held.contains(post)).count());
        ratio(found, held.len().min(PAGE))
    });
    shares.sum::<f64>() / ratio(held.len(), 1)
}

/// The share of authors that are on a page, and the Gini coefficient of how often each is (0: all alike, 1: one has all).
fn spread(pages: &Pages, authors: &BTreeMap<Uuid, Uuid>) -> (f64, f64) {
    let mut shown: BTreeMap<Uuid, usize> = authors.values().map(|author| (*author, 0)).collect();
    for author in pages.values().flatten().filter_map(|post| authors.get(post)) {
        *shown.entry(*author).or_default() += 1;
    }
    let mut counts: Vec<usize> = shown.into_values().collect();
    counts.sort_unstable();
    let all: usize = counts.iter().sum();
    let weighted: usize = (1..).zip(&counts).map(|(rank, count)| rank * count).sum();
    let covered = counts.iter().filter(|count| **count > 0).count();
    let people = counts.len();
    let gini = 2.0 * ratio(weighted, people * all) - ratio(people + 1, people);
    (ratio(covered, people), gini)
}

fn ratio(part: usize, whole: usize) -> f64 {
    let [part, whole] = [part, whole].map(|count| f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
    if whole == 0.0 { 0.0 } else { part / whole }
}

/// What a page and what finding similar posts cost where there are many people.
async fn cost(options: &Recommend, servers: &mut TemporaryServers) -> Result<Measurement> {
    let platform = MeasuredPlatform::start(&options.run, servers).await?;
    let (readers, work) = plant(&platform, options.many).await?;
    let mut rows = vec![row(["what", "p50", "p95", "p99"])];
    let (mut made, mut kept) = (LatencyHistogram::new()?, LatencyHistogram::new()?);
    for _ in 0..ROUNDS {
        // A list that is there is read again for some minutes.
        psql::run(&platform.base.database, "delete from engagement.recommendation_list").await?;
        for reader in &readers {
            for latencies in [&mut made, &mut kept] {
                let begin = Instant::now();
                let _: serde_json::Value =
                    reader.api.ask(Method::GET, To::Engagement, "/me/recommendations/posts?limit=20", None).await?;
                latencies.record(begin.elapsed())?;
            }
        }
    }
    for (what, latencies) in [("a page whose list is made", &made), ("a page of a list that is there", &kept)] {
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|q| milliseconds(latencies.quantile(q)));
        rows.push(row([what, &p50, &p95, &p99]));
    }
    let million = work.as_secs_f64() * 1e6 / f64::from(options.many) / 60.0;
    let description = format!(
        "{} people, as many posts and 20 reactions of each person; {READERS} readers, one request after the other, a page of 20. The goal \
         is a p95 of 30 ms. Finding the similar posts of all posts took {:.1} s of work, pauses left out: {million:.1} minutes of one core \
         per million people, where the goal is 20.",
        options.many,
        work.as_secs_f64()
    );
    Ok(Measurement { title: "The cost of posts for people".to_owned(), description, rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids<const N: usize>(numbers: [u128; N]) -> Vec<Uuid> {
        numbers.map(Uuid::from_u128).to_vec()
    }

    /// Half of what one reader would have liked is found, and nothing of the other's.
    #[test]
    fn the_recall_is_the_mean_share_of_what_is_found() {
        let [one, other] = [1, 2].map(Uuid::from_u128);
        let held =
            BTreeMap::from([(one, ids([10, 11]).into_iter().collect()), (other, ids([12]).into_iter().collect())]);
        let pages = Pages::from([(one, ids([10, 13])), (other, ids([10]))]);
        assert!((recall(&pages, &held) - 0.25).abs() < 1e-9);
    }

    /// One of two authors has all places, and then each has one.
    #[test]
    fn the_spread_says_how_even_the_places_are() {
        let [reader, ann, ben] = [1, 2, 3].map(Uuid::from_u128);
        let authors = BTreeMap::from([(Uuid::from_u128(10), ann), (Uuid::from_u128(11), ben)]);
        let (coverage, gini) = spread(&Pages::from([(reader, ids([10, 10]))]), &authors);
        assert!((coverage - 0.5).abs() < 1e-9 && (gini - 0.5).abs() < 1e-9, "{coverage} {gini}");
        let (coverage, gini) = spread(&Pages::from([(reader, ids([10, 11]))]), &authors);
        assert!((coverage - 1.0).abs() < 1e-9 && gini.abs() < 1e-9, "{coverage} {gini}");
    }
}

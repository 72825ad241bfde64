//! What the measurements over HTTP share.

use std::time::Duration;

use anyhow::Result;
use sqlx::PgPool;

use crate::client::Person;
use crate::proof::bench::comparison::Comparison;
use crate::proof::bench::database::ask;
use crate::proof::bench::latency::milliseconds;
use crate::proof::bench::load::LoadGenerator;
use crate::proof::bench::options::Http;
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report;
use crate::proof::poll;

/// How many people send requests in turn.
pub const PEOPLE: u32 = 16;
/// The number of posts where there are few.
pub const FEW: i64 = 1_000;

/// Events that are not numbered yet, and consumers that have not applied all that are.
const WAITING: &str = include_str!("waiting.sql");

/// Returns when all events have had their effects, so that no turn is slowed down by the effects of the turn before.
pub async fn settle(tables: &PgPool) -> Result<()> {
    poll::until("all events are applied", Duration::from_mins(2), Duration::from_millis(100), async || {
        let (waiting,): (i64,) = ask(WAITING).fetch_one(tables).await?;
        Ok(waiting == 0)
    })
    .await
}

/// People who have signed in, and are known to all services.
pub async fn sign_up_people(platform: &MeasuredPlatform<'_>) -> Result<Vec<Person>> {
    let (api, mut people) = (platform.base.api()?, Vec::new());
    for number in 0..PEOPLE {
        let email = format!("reader.{number}@example.org");
        let person = api.join(&email, "a long walk by the sea", ("Some", "Body"), &["BOOKS"]).await?;
        person.write_post("A walk", "By the sea, and back.", &["TRAVEL"], "POSTED").await?;
        people.push(person);
    }
    settle(&platform.tables).await?;
    Ok(people)
}

/// Compares two loads by their rates when every connection sends its next request as soon as the last one is answered.
pub async fn compare(options: &Http, subject: &LoadGenerator, limit: &LoadGenerator) -> Result<Comparison> {
    let time = Duration::from_secs(options.seconds.into());
    let rate = async |load: &LoadGenerator| Ok(load.closed(time).await?.rate());
    Comparison::run(options.rounds, async || rate(subject).await, async || rate(limit).await).await
}

/// The head of a table whose rows are made by [`row`].
pub fn head(limit: &str) -> Vec<String> {
    report::row(["what", limit, "requests/s", "share of the limit", "at half: p50", "p99", "p99 ÷ p50"])
}

/// The result of a comparison, and the latency at half of the maximum rate.
pub async fn row(load: &LoadGenerator, comparison: &Comparison, what: &str, options: &Http) -> Result<Vec<String>> {
    let (rate, limit) = (comparison.subject()?, comparison.limit()?);
    let [p50, p99, ratio] = at_half(load, rate, options).await?;
    let (limit, rate, share) = (format!("{limit:.0}"), format!("{rate:.0}"), comparison.share()?.to_string());
    Ok(report::row([what, &limit, &rate, &share, &p50, &p99, &ratio]))
}

/// Median, 99th percentile and their ratio when half as many requests arrive as can be answered at most, at times fixed
/// beforehand.
pub async fn at_half(load: &LoadGenerator, maximum: f64, options: &Http) -> Result<[String; 3]> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is a small positive number")]
    let rate = (maximum / 2.0) as u32;
    let time = Duration::from_secs(options.seconds.into()) * 2;
    let latencies = load.open(rate.max(1), time).await?.latencies;
    let (p50, p99) = (latencies.quantile(0.5), latencies.quantile(0.99));
    Ok([milliseconds(p50), milliseconds(p99), format!("{:.1}", p99.as_secs_f64() / p50.as_secs_f64())])
}

//! Rates of requests in turns with those of an upper limit, and the rows of a table that they make.

use std::time::Duration;

use anyhow::Result;

use crate::proof::bench::comparison::Comparison;
use crate::proof::bench::latency::milliseconds;
use crate::proof::bench::load::LoadGenerator;
use crate::proof::bench::options::Turns;
use crate::proof::bench::report;

/// Compares two loads by their rates when every connection sends its next request as soon as the last one is answered.
pub async fn compare(turns: &Turns, subject: &LoadGenerator, limit: &LoadGenerator) -> Result<Comparison> {
    let time = Duration::from_secs(turns.seconds.into());
    let rate = async |load: &LoadGenerator| Ok(load.closed(time).await?.rate());
    Comparison::run(turns.rounds, async || rate(subject).await, async || rate(limit).await).await
}

/// The head of a table whose rows are made by [`row`].
pub fn head(limit: &str) -> Vec<String> {
    report::row(["what", limit, "requests/s", "share of the limit", "at half: p50", "p99", "p99 ÷ p50"])
}

/// The result of a comparison, and the latency at half of the maximum rate.
pub async fn row(load: &LoadGenerator, comparison: &Comparison, what: &str, turns: &Turns) -> Result<Vec<String>> {
    let (rate, limit) = (comparison.subject()?, comparison.limit()?);
    let [p50, p99, ratio] = at_half(load, rate, turns).await?;
    let (limit, rate, share) = (format!("{limit:.0}"), format!("{rate:.0}"), comparison.share()?.to_string());
    Ok(report::row([what, &limit, &rate, &share, &p50, &p99, &ratio]))
}

/// Median, 99th percentile and their ratio when half as many requests arrive as can be answered at most, at times fixed
/// beforehand.
pub async fn at_half(load: &LoadGenerator, maximum: f64, turns: &Turns) -> Result<[String; 3]> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is a small positive number")]
    let rate = (maximum / 2.0) as u32;
    let time = Duration::from_secs(turns.seconds.into()) * 2;
    let latencies = load.open(rate.max(1), time).await?.latencies;
    let (p50, p99) = (latencies.quantile(0.5), latencies.quantile(0.99));
    Ok([milliseconds(p50), milliseconds(p99), format!("{:.1}", p99.as_secs_f64() / p50.as_secs_f64())])
}

//! `cargo stack bench recommend`: whether people find what they would have liked, who is recommended to them, and what a
//! recommendation costs. Communities are planted (`communities.sql`), so that what each of its people likes is known.

mod hidden_edges;
mod people;
mod posts;

use anyhow::Result;

use crate::proof::bench::options::{Recommend, RecommendBenchmark};
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::BenchmarkReport;

/// Measures one after the other: two at once would measure each other.
pub async fn run(options: &Recommend, platform: &mut MeasuredPlatform<'_>) -> Result<BenchmarkReport> {
    let mut measurements = Vec::new();
    for which in &options.only {
        measurements.extend(match which {
            RecommendBenchmark::Posts => posts::measure(options, platform).await?,
            RecommendBenchmark::People => people::measure(options, platform).await?,
        });
    }
    Ok(BenchmarkReport { title: "Recommendations", measurements })
}

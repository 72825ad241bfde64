//! `cargo stack bench search`: how soon posts are found among very many, and what the index adds to a write.

mod queries;
mod write;

use anyhow::Result;

use crate::proof::bench::options::Search;
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::BenchmarkReport;

/// Measures one after the other: two at once would measure each other.
pub async fn run(options: &Search, platform: &mut MeasuredPlatform<'_>) -> Result<BenchmarkReport> {
    let queries = queries::measure(options, platform).await?;
    let write = write::measure(options, platform).await?;
    Ok(BenchmarkReport { title: "Search", measurements: vec![queries, write] })
}

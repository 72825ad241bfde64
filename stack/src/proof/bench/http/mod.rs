//! `cargo stack bench http`: how close requests come to their upper limits, measured in turns with those: a check of a token
//! to a bare route, writes to the same statements by `pgbench`, reads among many posts to those among few.

mod bare;
mod fill;
mod people;
mod pgbench;
mod reads;
mod tokens;
mod writes;

use anyhow::Result;

use crate::proof::bench::options::{Http, HttpBenchmark};
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::BenchmarkReport;

/// Measures one after the other: two at once would measure each other.
pub async fn run(options: &Http, platform: &mut MeasuredPlatform<'_>) -> Result<BenchmarkReport> {
    fill::posts(&platform.base.database, fill::FEW).await?;
    let people = people::sign_up(platform).await?;
    let mut measurements = Vec::new();
    for benchmark in [HttpBenchmark::Tokens, HttpBenchmark::Reads, HttpBenchmark::Writes] {
        if options.only.contains(&benchmark) {
            measurements.push(match benchmark {
                HttpBenchmark::Tokens => tokens::measure(options, platform, &people).await?,
                HttpBenchmark::Reads => reads::measure(options, platform, &people).await?,
                HttpBenchmark::Writes => writes::measure(options, platform, &people).await?,
            });
        }
    }
    Ok(BenchmarkReport { title: "HTTP", measurements })
}

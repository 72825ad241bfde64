//! `cargo stack bench http`: how close requests come to their upper limits, measured in turns with those: a check of a token
//! to a bare route, writes to the same statements by `pgbench`, reads among many posts to those among few.
//!
//! The mixed load of a social network (`DeathStarBench`: 60 % home timeline, 30 % user timeline, 10 % compose) belongs here
//! as a measurement of its own, once there are timelines.

mod bare;
mod common;
mod fill;
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
    fill::posts(&platform.base.database, common::FEW).await?;
    let people = common::sign_up_people(platform).await?;
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

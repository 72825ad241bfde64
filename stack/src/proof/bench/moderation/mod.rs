//! `cargo stack bench moderation`: how many texts a core reads, how soon a text is answered, how soon a bad post is hidden, and what
//! a moderator waits for when a million cases wait for moderators.

mod hiding;
mod latency;
mod queue;
mod texts;

use anyhow::Result;

use crate::proof::bench::options::{Moderation, ModerationBenchmark};
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::BenchmarkReport;

/// Measures one after the other: two at once would measure each other.
pub async fn run(options: &Moderation, platform: &mut MeasuredPlatform<'_>) -> Result<BenchmarkReport> {
    let mut measurements = Vec::new();
    for which in &options.only {
        measurements.push(match which {
            ModerationBenchmark::Texts => texts::measure(options, platform).await?,
            ModerationBenchmark::Latency => latency::measure(options, platform).await?,
            ModerationBenchmark::Hiding => hiding::measure(options, platform).await?,
            ModerationBenchmark::Queue => queue::measure(options, platform).await?,
        });
    }
    Ok(BenchmarkReport { title: "Moderation", measurements })
}

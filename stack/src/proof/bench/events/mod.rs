//! `cargo stack bench events`: how fast events take effect, how fast backlogs drain, what the outbox costs a write, how long
//! a Redis that lost everything takes to have it again, and how soon an old day has left the outbox.

mod backlog;
mod drain;
mod effects;
mod limits;
mod refill;
mod retention;
mod write;

use anyhow::Result;

use crate::proof::bench::options::Events;
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::BenchmarkReport;

/// Measures one after the other: two at once would measure each other.
pub async fn run(options: &Events, platform: &mut MeasuredPlatform<'_>) -> Result<BenchmarkReport> {
    let effects = effects::measure(platform, options.rate, options.seconds).await?;
    let (drain, refill) = drain::measure(platform, options.backlog).await?;
    let write = write::measure(platform, options.rounds).await?;
    let retention = retention::measure(platform, options.day).await?;
    Ok(BenchmarkReport { title: "Events", measurements: vec![effects, drain, refill, write, retention] })
}

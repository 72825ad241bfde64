//! `cargo stack bench events`: how fast events take effect, how fast backlogs drain, what the outbox costs a write, and
//! how long a Redis that lost everything takes to have it again.

mod backlog;
mod bounds;
mod drain;
mod latency;
mod marks;
mod refill;
mod write;

use anyhow::Result;

use crate::proof::bench::options::Events;
use crate::proof::bench::platform::Platform;
use crate::proof::bench::section::Section;

/// Measures all of it, one after the other: two at once would measure each other.
pub async fn run(options: &Events, platform: &mut Platform<'_>) -> Result<Section> {
    let latency = latency::measure(platform, options.rate, options.seconds).await?;
    let (drain, refill) = drain::measure(platform, options.backlog).await?;
    let write = write::measure(platform, options.rounds).await?;
    Ok(Section { title: "Events", parts: vec![latency, drain, refill, write] })
}

//! `cargo stack bench feed`: how close a home feed comes to its upper limit, what its cost depends on, how soon a post is in the
//! feeds of all followers and a feed shows what its reader has changed, and what a feed costs when it is not in Redis, and when
//! it is.
//!
//! The network is in the read model of the engagement service alone: feeds ask no other. Of all people only some sign in, and
//! those send all requests.

mod audience;
mod big;
mod bound;
mod changes;
mod empty;
mod fan_out;
pub mod graph;
mod memory;
mod mix;
mod pages;

use anyhow::{Result, ensure};

use crate::proof::bench::feed::audience::Audience;
use crate::proof::bench::options::{Feed, FeedBenchmark, Graph};
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::BenchmarkReport;

/// Measures one after the other: two at once would measure each other.
pub async fn run(options: &Feed, platform: &mut MeasuredPlatform<'_>) -> Result<BenchmarkReport> {
    // The others are about people with as many connections as no one has there.
    let measurable = |which: &FeedBenchmark| match options.graph {
        Graph::PowerLaw => true,
        Graph::Facebook => matches!(which, FeedBenchmark::Home | FeedBenchmark::Changes | FeedBenchmark::Mix),
    };
    let only: Vec<FeedBenchmark> = options.only.iter().copied().filter(measurable).collect();
    ensure!(!only.is_empty(), "none of these can be measured in this graph");
    let audience = Audience::make(options, platform, options.posts).await?;
    audience.warm().await?;
    let mut measurements = Vec::new();
    for which in only {
        measurements.push(match which {
            FeedBenchmark::Home => bound::measure(options, &audience).await?,
            FeedBenchmark::Connections => pages::by_connections(options, &audience).await?,
            FeedBenchmark::Big => big::measure(options, &audience).await?,
            FeedBenchmark::Posts => pages::by_posts(options, &audience).await?,
            FeedBenchmark::FanOut => fan_out::measure(options, &audience).await?,
            FeedBenchmark::Changes => changes::measure(&audience).await?,
            FeedBenchmark::Memory => memory::measure(&audience).await?,
            FeedBenchmark::Empty => empty::measure(options, &audience).await?,
            FeedBenchmark::Mix => mix::measure(options, &audience).await?,
        });
    }
    // Each graph has a section of its own, so that neither replaces the other's figures.
    let title = match options.graph {
        Graph::PowerLaw => "Feeds",
        Graph::Facebook => "Feeds of the Facebook graph",
    };
    Ok(BenchmarkReport { title, measurements })
}

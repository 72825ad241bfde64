//! `cargo stack bench web`: what pages of the web client weigh in a browser and how soon they are there on a slow line, what the
//! client itself adds to the time of a page, and what its process takes of memory.

mod latency;
mod memory;
mod pages;
mod reading;
mod replay;
mod visits;

use anyhow::Result;

use crate::host::programs::{self, Program};
use crate::host::workspace::Build;
use crate::proof::bench::options::{Web, WebBenchmark};
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::BenchmarkReport;
use crate::proof::bench::web::reading::{WebReading, play};
use crate::system::WEB;

/// Measures one after the other: two at once would measure each other.
pub async fn run(options: &Web, platform: &mut MeasuredPlatform<'_>) -> Result<BenchmarkReport> {
    programs::provide(&[Program::Nginx, Program::Chromium, Program::ChromeDriver]).await?;
    let binary = Build { release: true, prebuilt: options.run.prebuilt }.binary(WEB).await?;
    let front = platform.base.start_web(&binary).await?;
    let (reader, post) = play(platform).await?;
    let scene = WebReading { front, binary, reader, post };
    let mut measurements = Vec::new();
    for which in &options.only {
        measurements.push(match which {
            WebBenchmark::Visits => visits::measure(&scene).await?,
            WebBenchmark::Pages => pages::measure(options, platform, &scene).await?,
            WebBenchmark::Latency => latency::measure(options, platform, &scene).await?,
            WebBenchmark::Memory => memory::measure(options, platform, &scene).await?,
        });
    }
    Ok(BenchmarkReport { title: "Web client", measurements })
}

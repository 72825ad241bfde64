//! `cargo stack bench web`: what pages of the web client weigh in a browser and how soon they are there on a slow line, what the
//! client itself adds to the time of a page, and what its process takes of memory.

mod latency;
mod memory;
mod pages;
mod replay;
mod visits;

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result};
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::client::Person;
use crate::host::console;
use crate::host::programs::{self, Program};
use crate::host::workspace::Build;
use crate::proof::bench::options::{Web, WebBenchmark};
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::BenchmarkReport;
use crate::proof::platform::Front;
use crate::system::WEB;

/// Posts in the feed of the reader: more than one page.
const POSTS: usize = 30;
/// People who write them in turn, and to whom the reader is connected.
const AUTHORS: usize = 6;
/// Comments on the first of them.
const COMMENTS: usize = 20;
/// What they write, of the length of a paragraph.
const TEXT: &str = "We walked along the sea and talked about books until it was late in the day, and nobody wanted to go home \
    yet. On the way back we saw the lights of a ship that did not move, and made up a story for it. #sea #books";

/// What is measured: a reader, and a post with comments.
struct Scene {
    front: Front,
    binary: std::path::PathBuf,
    reader: Person,
    post: String,
}

impl Scene {
    /// The address of a port on this machine.
    fn address(port: u16) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, port).into()
    }

    async fn token(&self) -> Result<String> {
        Ok(self.reader.api.access_token().await?.unwrap_or_default())
    }
}

/// Measures one after the other: two at once would measure each other.
pub async fn run(options: &Web, platform: &mut MeasuredPlatform<'_>) -> Result<BenchmarkReport> {
    programs::provide(&[Program::Nginx, Program::Chromium, Program::ChromeDriver]).await?;
    let binary = Build { release: true, prebuilt: options.run.prebuilt }.binary(WEB).await?;
    let front = platform.base.start_web(&binary).await?;
    let (reader, post) = play(platform).await?;
    let scene = Scene { front, binary, reader, post };
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

/// People write what a reader sees; the reader, and the post with comments.
async fn play(platform: &MeasuredPlatform<'_>) -> Result<(Person, String)> {
    console::info("Writing what is shown");
    let mut people = platform.sign_up(u32::try_from(AUTHORS)? + 1).await?;
    let reader = people.pop().context("nobody signed up")?;
    for author in &people {
        reader.connect(&author.id).await?;
    }
    let write = async |number: usize| {
        let (title, author) = (format!("The walk number {number}"), &people[number % AUTHORS]);
        let text = format!("{TEXT} Number {number}.");
        Ok::<_, anyhow::Error>(author.write_post(&title, &text, &["TRAVEL", "BOOKS"], "POSTED").await?.id)
    };
    let posts: Vec<_> = stream::iter(0..POSTS).then(write).try_collect().await?;
    platform.settle().await?;
    let post = posts.into_iter().next().context("no post was written")?;
    for number in 0..COMMENTS {
        people[number % AUTHORS].comment(&post, &format!("I have read it {number} times, and would again.")).await?;
    }
    platform.settle().await?;
    Ok((reader, post))
}

//! How soon a post that breaks the rules is hidden: from the answer to its author until another user does not find it.

use std::time::Duration;

use anyhow::{Context, Result};
use futures::stream::{FuturesUnordered, StreamExt};
use reqwest::{Method, StatusCode};
use tokio::time::interval;

use crate::client::{Person, To, eventually};
use crate::host::console;
use crate::proof::bench::latency::{LatencyHistogram, milliseconds};
use crate::proof::bench::options::Moderation;
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::{Measurement, row};

/// Users who write in turn, so that no limit of one of them is reached.
const AUTHORS: usize = 16;
/// The shipped model hides this by itself, whatever stands behind it.
const INSULT: &str = "We should gas the Jews and all the faggots.";

/// Writes posts at times that were fixed beforehand, and looks for each until it is gone.
pub async fn measure(options: &Moderation, platform: &MeasuredPlatform<'_>) -> Result<Measurement> {
    let mut people = platform.sign_up(u32::try_from(AUTHORS)? + 1).await?;
    let reader = people.pop().context("nobody signed up")?;
    console::info(format_args!("Writing {} posts, {} per second", options.posts, options.posts_rate));
    let mut turns = interval(Duration::from_secs(1) / options.posts_rate);
    let (mut times, mut open, mut written) = (LatencyHistogram::new()?, FuturesUnordered::new(), 0);
    loop {
        tokio::select! {
            _ = turns.tick(), if written < options.posts => {
                open.push(time_to_hiding(&people[written as usize % AUTHORS], &reader, written));
                written += 1;
            }
            Some(time) = open.next() => times.record(time?)?,
            else => break,
        }
    }
    let [p50, p95, p99, longest] = [0.5, 0.95, 0.99, 1.0].map(|q| milliseconds(times.quantile(q)));
    let head = row(["posts/s", "posts", "p50", "p95", "p99", "longest"]);
    let rows =
        vec![head, row([&options.posts_rate.to_string(), &times.count().to_string(), &p50, &p95, &p99, &longest])];
    let description = format!(
        "{AUTHORS} users publish insulting posts at times that were fixed beforehand, and another user asks for each every 5 ms \
         over the public route, from the answer to its author until the post is not found any more: through the outbox, Redis, the text \
         model, the policies, the ledger, and back. The goal is a p95 of 300 ms.",
    );
    Ok(Measurement { title: "From created to hidden".to_owned(), description, rows })
}

/// How long a post is seen that breaks the rules.
async fn time_to_hiding(author: &Person, reader: &Person, number: u32) -> Result<Duration> {
    let content = format!("{INSULT} This is the number {number}.");
    let post = author.write_post("A post", &content, &["TRAVEL"], "POSTED").await?;
    let path = format!("/posts/{}", post.id);
    let status = async || Ok(reader.api.send(Method::GET, To::Post, &path, None).await?.0);
    let (_, hidden) = eventually("the post is hidden", status, |status| *status == StatusCode::NOT_FOUND).await?;
    Ok(hidden)
}

//! How soon a feed shows what its reader has changed: which authors they read, and which they do not want to read.

use std::time::Duration;

use anyhow::Result;
use futures::future::try_join_all;
use reqwest::Method;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use crate::client::{Person, To, eventually};
use crate::host::console;
use crate::proof::bench::feed::audience::Audience;
use crate::proof::bench::latency::{LatencyHistogram, milliseconds};
use crate::proof::bench::report::{Measurement, row};

/// What every reader does about an author of their own, one after the other, and how often.
const TURNS: [FeedChange; 6] = {
    use FeedChange::{Block, Follow, Mute, Unfollow, Unmute};
    [Follow, Mute, Unmute, Unfollow, Follow, Block]
};
const ROUNDS: usize = 2;
/// The distance between the beginnings of two changes, of different readers.
const EVERY: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FeedChange {
    Follow,
    Unfollow,
    Mute,
    Unmute,
    Block,
}

impl FeedChange {
    const ALL: [(FeedChange, &'static str); 5] = [
        (FeedChange::Follow, "follow"),
        (FeedChange::Unfollow, "unfollow"),
        (FeedChange::Mute, "mute"),
        (FeedChange::Unmute, "end of a mute"),
        (FeedChange::Block, "block"),
    ];

    /// Whether the posts of the author are in the feed afterwards.
    fn shows(self) -> bool {
        matches!(self, FeedChange::Follow | FeedChange::Unmute)
    }

    fn request(self, author: &str) -> (Method, To, String) {
        match self {
            FeedChange::Follow => (Method::POST, To::Auth, format!("/users/{author}/connect")),
            FeedChange::Unfollow => (Method::DELETE, To::Auth, format!("/users/{author}/disconnect")),
            FeedChange::Mute => (Method::POST, To::Engagement, format!("/me/mutes/{author}")),
            FeedChange::Unmute => (Method::DELETE, To::Engagement, format!("/me/mutes/{author}")),
            FeedChange::Block => (Method::POST, To::Auth, format!("/users/{author}/block")),
        }
    }
}

/// A reader, and an author who has written one post, newer than all others.
struct ReaderOfOne<'a> {
    reader: &'a Person,
    author: String,
    post: String,
}

/// Has readers follow, mute and block authors at times that were fixed beforehand, and reads their feeds until each change shows.
pub async fn measure(audience: &Audience<'_>) -> Result<Measurement> {
    let readers = audience.usual();
    let authors = audience.platform.sign_up_as("one.author", u32::try_from(readers.len())?).await?;
    let mut pairs = Vec::new();
    for (reader, author) in readers.iter().zip(authors) {
        let post = author.write_post("A walk", "By the sea, and back.", &["TRAVEL"], "POSTED").await?;
        pairs.push(ReaderOfOne { reader: &reader.person, author: author.id, post: post.id });
    }
    audience.settle().await?;
    console::info(format_args!("{} changes of whom readers read", pairs.len() * TURNS.len() * ROUNDS));
    let (begin, step) = (Instant::now(), u32::try_from(pairs.len())?);
    let changes = (0..).zip(&pairs).map(|(number, pair)| pair.change(begin, number, step));
    let changes = try_join_all(changes).await?.concat();
    let mut rows = vec![row(["what", "changes", "p50", "p99", "longest"])];
    let of_all = ("all", changes.iter().map(|(_, time)| *time).collect::<Vec<_>>());
    let of_each = FeedChange::ALL.map(|(kind, name)| {
        let of_kind = changes.iter().filter(|(change, _)| *change == kind);
        (name, of_kind.map(|(_, time)| *time).collect::<Vec<_>>())
    });
    for (what, times) in of_each.into_iter().chain([of_all]) {
        rows.push(cells(what, &times)?);
    }
    let description = format!(
        "{}. {} readers change whom they read, ten times a second together, at times that were fixed beforehand: each follows an author of \
         their own, mutes them, ends that, unfollows, follows and blocks them. Measured is from the answer until the reader's \
         `GET /me/feed`, read every 5 ms, has the author's post or does not have it any more, through outbox, stream, read model and \
         the feed that is dropped and built. The goal is 1,000 ms.",
        audience.described(),
        pairs.len(),
    );
    Ok(Measurement { title: "What a reader changes, in their feed".to_owned(), description, rows })
}

fn cells(what: &str, times: &[Duration]) -> Result<Vec<String>> {
    let mut latencies = LatencyHistogram::new()?;
    for time in times {
        latencies.record(*time)?;
    }
    let [p50, p99, longest] = [0.5, 0.99, 1.0].map(|q| milliseconds(latencies.quantile(q)));
    Ok(row([what, &latencies.count().to_string(), &p50, &p99, &longest]))
}

impl ReaderOfOne<'_> {
    /// Makes all changes, each at its time or when the one before shows; after how long each did.
    async fn change(&self, begin: Instant, number: u32, step: u32) -> Result<Vec<(FeedChange, Duration)>> {
        let mut times = Vec::new();
        for (turn, change) in (0..).zip(TURNS.repeat(ROUNDS)) {
            sleep_until(begin + EVERY * (turn * step + number)).await;
            let (method, to, path) = change.request(&self.author);
            let _: Value = self.reader.api.ask(method, to, &path, None).await?;
            let has = async || Ok(self.reader.home_feed().await?.iter().any(|item| item.id == self.post));
            let (_, time) = eventually("a change shows in a feed", has, |has| *has == change.shows()).await?;
            times.push((change, time));
            if change == FeedChange::Block {
                let _: Value = self.reader.api.ask(Method::DELETE, to, &path, None).await?;
            }
        }
        Ok(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_turns_what_the_one_before_has_left() {
        let shown: Vec<_> = TURNS.repeat(2).into_iter().map(FeedChange::shows).collect();
        assert!(
            shown.windows(2).all(|pair| pair[0] != pair[1]),
            "a change that shows nothing is not measured: {shown:?}"
        );
        assert!(FeedChange::ALL.iter().all(|(change, _)| TURNS.contains(change)));
    }
}

//! What the pages that are measured show.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Context, Result};
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::client::Person;
use crate::host::console;
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::platform::Front;

/// Posts in the feed of the reader: more than one page.
const POSTS: usize = 30;
/// People who write them in turn; the reader is connected to each.
const AUTHORS: usize = 6;
/// Comments on the first of them.
const COMMENTS: usize = 20;
/// What they write, of the length of a paragraph.
const TEXT: &str = "We walked along the sea and talked about books until it was late in the day, and nobody wanted to go home \
    yet. On the way back we saw the lights of a ship that did not move, and made up a story for it. #sea #books";

/// What is measured: a reader who has a feed, and a post with comments.
pub struct WebReading {
    pub front: Front,
    pub binary: PathBuf,
    pub reader: Person,
    pub post: String,
}

impl WebReading {
    /// The address of a port on this machine.
    pub fn address(port: u16) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, port).into()
    }

    pub async fn token(&self) -> Result<String> {
        Ok(self.reader.api.access_token().await?.unwrap_or_default())
    }
}

/// People write what a reader sees; the reader, and the post with comments.
pub async fn play(platform: &MeasuredPlatform<'_>) -> Result<(Person, String)> {
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

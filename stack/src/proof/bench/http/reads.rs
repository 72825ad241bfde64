//! Reads among many posts against the same reads among few, on a platform of their own, in turns.

use std::time::Duration;

use anyhow::Result;
use reqwest::{Method, StatusCode};

use crate::client::Person;
use crate::host::console;
use crate::host::programs::Program;
use crate::proof::bench::http::contest::Contest;
use crate::proof::bench::http::{FEW, fill, gather};
use crate::proof::bench::load::{Call, Load};
use crate::proof::bench::options::Http;
use crate::proof::bench::platform::Platform;
use crate::proof::bench::section::{Part, row};
use crate::servers::pair::ThrowAway;
use crate::system::{ENGAGEMENT, INTERACTION, POST, Service};

/// How many different posts are asked for.
const DIFFERENT: i64 = 1_000;

/// A route, and how its path is made of the number of a post.
struct Read {
    what: &'static str,
    service: &'static Service,
    path: fn(i64) -> String,
}

const READS: [Read; 4] = [
    Read { what: "GET /posts", service: &POST, path: |_| "/api/v1/posts".to_owned() },
    Read { what: "GET /posts/{post_id}", service: &POST, path: |post| format!("/api/v1/posts/{}", fill::id(post)) },
    Read {
        what: "GET /{post_id}/comments",
        service: &INTERACTION,
        path: |post| format!("/api/v1/{}/comments", fill::id(commented(post))),
    },
    Read { what: "GET /me/activity-profile", service: &ENGAGEMENT, path: |_| "/api/v1/me/activity-profile".to_owned() },
];

/// Measures each read on both platforms.
pub async fn measure(options: &Http, few: &Platform<'_>, people: &[Person]) -> Result<Part> {
    let mut servers = ThrowAway::new(&[Program::Postgres, Program::Redis]).await?;
    let outcome = on_both(options, &mut servers, few, people).await;
    servers.stop().await?;
    outcome
}

async fn on_both(options: &Http, servers: &mut ThrowAway, few: &Platform<'_>, people: &[Person]) -> Result<Part> {
    console::tell(format_args!("Making {} posts", options.posts));
    let many = Platform::start(&options.run, servers).await?;
    fill::posts(&many.tables, options.posts).await?;
    let others = gather(&many).await?;
    let mut rows =
        vec![row(["what", "few: reads/s", "many: reads/s", "time of many ÷ few", "at half: p50", "p99", "p99 ÷ p50"])];
    for read in &READS {
        console::tell(format_args!("{}: {} rounds", read.what, options.rounds));
        let small = read.load(options, few, people, FEW).await?;
        let large = read.load(options, &many, &others, options.posts).await?;
        let time = Duration::from_secs(options.seconds.into());
        let contest = Contest::hold(
            options.rounds,
            async || Ok(large.closed(time).await?.rate()),
            async || Ok(small.closed(time).await?.rate()),
        )
        .await?;
        let [p50, p99, ratio] = super::at_half(&large, contest.rate()?, options).await?;
        rows.push(row([
            read.what,
            &format!("{:.0}", contest.bound()?),
            &format!("{:.0}", contest.rate()?),
            &contest.slowness()?.to_string(),
            &p50,
            &p99,
            &ratio,
        ]));
    }
    let says = format!(
        "The same requests on two platforms beside each other, in turns: one with {FEW} posts and one with {}, with twice as \
         many comments, 20 on each tenth post. {DIFFERENT} different posts are asked for; a page has 50 posts or 20 \
         comments. The time at half of the maximum is that among many.",
        options.posts
    );
    Ok(Part { title: "Reads among many posts against few".to_owned(), says, rows })
}

impl Read {
    async fn load(&self, options: &Http, platform: &Platform<'_>, people: &[Person], posts: i64) -> Result<Load> {
        let mut calls = Vec::new();
        let different = DIFFERENT.min(posts);
        for number in 0..different {
            let post = 1 + number * (posts / different);
            let token = people[usize::try_from(number)? % people.len()].api.access_token().await?.unwrap_or_default();
            calls.push(Call::new(Method::GET, &(self.path)(post), &token, None, StatusCode::OK)?);
        }
        Ok(Load { address: platform.address(self.service)?, calls: calls.into(), connections: options.connections })
    }
}

/// The post with comments that is next to this one.
fn commented(post: i64) -> i64 {
    (post - 1) / fill::COMMENTED * fill::COMMENTED + fill::COMMENTED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_asked_for_where_there_are_some() {
        assert_eq!([1, 10, 11, 1000].map(commented), [10, 10, 20, 1000]);
    }
}

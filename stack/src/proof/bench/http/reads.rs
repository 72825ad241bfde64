//! Reads among many posts against the same reads among few, on a platform of their own, in turns.

use anyhow::Result;

use crate::client::Person;
use crate::host::console;
use crate::host::programs::Program;
use crate::proof::bench::http::fill::{self, FEW};
use crate::proof::bench::http::people;
use crate::proof::bench::load::LoadGenerator;
use crate::proof::bench::load::connection::PreparedRequest;
use crate::proof::bench::options::Http;
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::rates;
use crate::proof::bench::report::{Measurement, row};
use crate::servers::temporary::TemporaryServers;
use crate::system::{ENGAGEMENT, INTERACTION, POST, Service};

/// The number of different posts that are requested.
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
pub async fn measure(options: &Http, few: &MeasuredPlatform<'_>, people: &[Person]) -> Result<Measurement> {
    let mut servers = TemporaryServers::new(&[Program::Postgres, Program::Redis]).await?;
    let outcome = measure_both(options, &mut servers, few, people).await;
    servers.stop().await?;
    outcome
}

async fn measure_both(
    options: &Http,
    servers: &mut TemporaryServers,
    few: &MeasuredPlatform<'_>,
    people: &[Person],
) -> Result<Measurement> {
    console::info(format_args!("Making {} posts", options.posts));
    let many = MeasuredPlatform::start(&options.run, servers).await?;
    fill::posts(&many.base.database, options.posts).await?;
    let others = people::sign_up(&many).await?;
    let mut rows =
        vec![row(["what", "few: reads/s", "many: reads/s", "time of many ÷ few", "at half: p50", "p99", "p99 ÷ p50"])];
    for read in &READS {
        console::info(format_args!("{}: {} rounds", read.what, options.turns.rounds));
        let small = read.load(options, few, people, FEW).await?;
        let large = read.load(options, &many, &others, options.posts).await?;
        let comparison = rates::compare(&options.turns, &large, &small).await?;
        let [p50, p99, ratio] = rates::at_half(&large, comparison.subject()?, &options.turns).await?;
        let (few, many) = (format!("{:.0}", comparison.limit()?), format!("{:.0}", comparison.subject()?));
        rows.push(row([read.what, &few, &many, &comparison.slowdown()?.to_string(), &p50, &p99, &ratio]));
    }
    let description = format!(
        "The same requests on two platforms beside each other, in turns: one with {FEW} posts and one with {}, with twice as \
         many comments, 20 on each tenth post. {DIFFERENT} different posts are requested; a page has 50 posts or 20 \
         comments. The latency at half of the maximum is that among many.",
        options.posts
    );
    Ok(Measurement { title: "Reads among many posts against few".to_owned(), description, rows })
}

impl Read {
    async fn load(
        &self,
        options: &Http,
        platform: &MeasuredPlatform<'_>,
        people: &[Person],
        posts: i64,
    ) -> Result<LoadGenerator> {
        let (address, mut requests) = (platform.address(self.service)?, Vec::new());
        let different = DIFFERENT.min(posts);
        for number in 0..different {
            let path = (self.path)(1 + number * (posts / different));
            let token = people[usize::try_from(number)? % people.len()].api.access_token().await?.unwrap_or_default();
            requests.push(PreparedRequest::get(address, &path, &token)?);
        }
        Ok(LoadGenerator { requests: requests.into(), connections: options.turns.connections })
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
    fn comments_are_requested_where_there_are_some() {
        assert_eq!([1, 10, 11, 1000].map(commented), [10, 10, 20, 1000]);
    }
}

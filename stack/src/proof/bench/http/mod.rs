//! `cargo stack bench http`: how close requests come to what bounds them, measured in turns with it: a check of a token to
//! a bare route, writes to the same statements by `pgbench`, reads among many posts to those among few.
//!
//! The mixed load of a social network (`DeathStarBench`: 60 % home timeline, 30 % user timeline, 10 % compose) belongs here
//! as a part of its own, once there are timelines.

mod bare;
mod contest;
mod fill;
mod pgbench;
mod quiet;
mod reads;
mod statements;
mod tokens;
mod writes;

use std::time::Duration;

use anyhow::Result;

use crate::client::Person;
use crate::proof::bench::http::contest::Contest;
use crate::proof::bench::load::Load;
use crate::proof::bench::options::{Http, Question};
use crate::proof::bench::platform::Platform;
use crate::proof::bench::section::Section;
use crate::proof::bench::{milliseconds, section};

/// How many people ask in turn.
const PEOPLE: u32 = 16;
/// Posts while something else is measured than how many there are.
const FEW: i64 = 1_000;

/// Measures all of it, one after the other: two at once would measure each other.
pub async fn run(options: &Http, platform: &mut Platform<'_>) -> Result<Section> {
    fill::posts(&platform.tables, FEW).await?;
    let people = gather(platform).await?;
    let mut parts = Vec::new();
    for question in [Question::Tokens, Question::Reads, Question::Writes] {
        if options.only.contains(&question) {
            parts.push(match question {
                Question::Tokens => tokens::measure(options, platform, &people).await?,
                Question::Reads => reads::measure(options, platform, &people).await?,
                Question::Writes => writes::measure(options, platform, &people).await?,
            });
        }
    }
    Ok(Section { title: "HTTP", parts })
}

/// People who have signed in, of whom everybody has heard.
async fn gather(platform: &Platform<'_>) -> Result<Vec<Person>> {
    let (api, mut people) = (platform.api()?, Vec::new());
    for number in 0..PEOPLE {
        let email = format!("reader.{number}@example.org");
        let person = api.join(&email, "a long walk by the sea", ("Some", "Body"), &["BOOKS"]).await?;
        person.write_post("A walk", "By the sea, and back.", &["TRAVEL"], "POSTED").await?;
        people.push(person);
    }
    quiet::wait(&platform.tables).await?;
    Ok(people)
}

/// The head of a table whose rows are made by [`row`].
fn head(bound: &str) -> Vec<String> {
    section::row(["what", bound, "requests/s", "share of the bound", "at half: p50", "p99", "p99 ÷ p50"])
}

/// What a contest came to, and how long requests take at half of the most that there can be.
async fn row(load: &Load, contest: &Contest, what: &str, options: &Http) -> Result<Vec<String>> {
    let (rate, bound) = (contest.rate()?, contest.bound()?);
    let [p50, p99, ratio] = at_half(load, rate, options).await?;
    let (bound, rate, share) = (format!("{bound:.0}"), format!("{rate:.0}"), contest.share()?.to_string());
    Ok(section::row([what, &bound, &rate, &share, &p50, &p99, &ratio]))
}

/// Half of the requests do not take longer than the first, and 99 of 100 not longer than the second, when half as many
/// come as can come at most, at times fixed beforehand; and how many times the first the second is.
async fn at_half(load: &Load, most: f64, options: &Http) -> Result<[String; 3]> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is a small positive number")]
    let rate = (most / 2.0) as u32;
    let time = Duration::from_secs(options.seconds.into()) * 2;
    let times = load.open(rate.max(1), time).await?.times;
    let (p50, p99) = (times.at(0.5), times.at(0.99));
    Ok([milliseconds(p50), milliseconds(p99), format!("{:.1}", p99.as_secs_f64() / p50.as_secs_f64())])
}

//! What the cost of a page depends on: not on how many people its reader reads, and not on how many posts there are.

use anyhow::Result;

use crate::host::console;
use crate::host::programs::Program;
use crate::proof::bench::comparison::Comparison;
use crate::proof::bench::feed::audience::{Audience, FEW, MANY, Reader, SOME};
use crate::proof::bench::options::Feed;
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::rates;
use crate::proof::bench::report::{Measurement, row};
use crate::servers::temporary::TemporaryServers;

/// The number of posts where there are few: a page of a reader with many connections is full all the same.
const FEW_POSTS: i64 = 1_000;

/// Pages of readers with many connections against those of readers with few, on one platform, in turns.
pub async fn by_connections(options: &Feed, audience: &Audience<'_>) -> Result<Measurement> {
    let (few, some, many) = (audience.group(FEW), audience.group(SOME), audience.group(MANY));
    let mut rows = vec![head("few", "more")];
    for more in [&some, &many] {
        console::info(format_args!("Readers of {} people against readers of {FEW}", number(more)));
        let (small, large) = (audience.home_feeds(&few).await?, audience.home_feeds(more).await?);
        let comparison = rates::compare(&options.turns, &large, &small).await?;
        rows.push(cells(&format!("{FEW} against {}", number(more)), &comparison)?);
    }
    let description = format!(
        "`GET /me/feed` with 50 items from Redis, by {} readers in turn over {} connections; those that read few people against \
         those that read more, in turns. The goal is a time of at most 1.2.",
        few.len(),
        options.turns.connections
    );
    Ok(Measurement { title: "A page by the number of connections".to_owned(), description, rows })
}

/// Pages among many posts against pages among few, on a platform of their own, in turns.
pub async fn by_posts(options: &Feed, many: &Audience<'_>) -> Result<Measurement> {
    let mut servers = TemporaryServers::new(&[Program::Postgres, Program::Redis]).await?;
    let outcome = measure_both(options, &mut servers, many).await;
    servers.stop().await?;
    outcome
}

async fn measure_both(options: &Feed, servers: &mut TemporaryServers, many: &Audience<'_>) -> Result<Measurement> {
    let platform = MeasuredPlatform::start(&options.run, servers).await?;
    let few = Audience::make(options, &platform, FEW_POSTS).await?;
    few.warm().await?;
    console::info(format_args!("A page among {} posts against one among {FEW_POSTS}", many.posts));
    let (small, large) = (few.home_feeds(&few.group(SOME)).await?, many.home_feeds(&many.group(SOME)).await?);
    let comparison = rates::compare(&options.turns, &large, &small).await?;
    let what = format!("{FEW_POSTS} against {}", many.posts);
    let description = format!(
        "`GET /me/feed` with 50 items from Redis, by readers of {SOME} people over {} connections, on two platforms beside each \
         other with the same people, in turns. The goal is a time of at most 1.2.",
        options.turns.connections
    );
    let rows = vec![head("few", "many"), cells(&what, &comparison)?];
    Ok(Measurement { title: "A page by the number of posts".to_owned(), description, rows })
}

/// The head of a table whose rows are made by [`cells`].
pub fn head(small: &str, large: &str) -> Vec<String> {
    let (few, many) = (format!("{small}: pages/s"), format!("{large}: pages/s"));
    row(["what", &few, &many, &format!("time of {large} ÷ {small}")])
}

/// The result of a comparison.
pub fn cells(what: &str, comparison: &Comparison) -> Result<Vec<String>> {
    let (few, many) = (format!("{:.0}", comparison.limit()?), format!("{:.0}", comparison.subject()?));
    Ok(row([what, &few, &many, &comparison.slowdown()?.to_string()]))
}

/// How many people the readers of a group read, where there may be fewer than were asked for.
fn number(group: &[&Reader]) -> usize {
    group.first().map_or(0, |reader| reader.connections)
}

//! What it costs a page that its reader reads authors with too many followers for a copy of their posts in each feed: these are looked
//! up for every page.

use anyhow::{Context, Result, ensure};
use sqlx::types::Uuid;

use crate::client::Person;
use crate::host::console;
use crate::proof::bench::database::ask;
use crate::proof::bench::feed::audience::{Audience, Reader, SOME};
use crate::proof::bench::feed::pages::{cells, head};
use crate::proof::bench::options::Feed;
use crate::proof::bench::rates;
use crate::proof::bench::report::Measurement;
use crate::servers::psql;

/// How many such authors some readers have, and their followers: more than posts are copied to.
const AUTHORS: u32 = 20;
const FOLLOWERS: u32 = 10_001;
/// Readers with these authors, and as many without.
const READERS: u32 = 4;

/// Pages of readers of some people and of big authors against those of readers of the same people alone, in turns.
pub async fn measure(options: &Feed, audience: &Audience<'_>) -> Result<Measurement> {
    console::info(format_args!("Making {AUTHORS} authors with {FOLLOWERS} followers each"));
    let (platform, pattern) = (audience.platform, *audience.group(SOME).first().context("no one reads so many")?);
    let authors = platform.sign_up_as("big.author", AUTHORS).await?;
    let plain = readers(platform.sign_up_as("plain.reader", READERS).await?, pattern.connections)?;
    let more = pattern.connections + AUTHORS as usize;
    let loaded = readers(platform.sign_up_as("loaded.reader", READERS).await?, more)?;
    let list = |ids: Vec<String>| format!("{{{}}}", ids.join(","));
    let of_readers = |readers: &[Reader]| list(readers.iter().map(|reader| reader.id.to_string()).collect());
    let script = format!(
        "\\set authors {}\n\\set plain {}\n\\set loaded {}\n\\set pattern {}\n\\set followers {FOLLOWERS}\n{}",
        list(authors.iter().map(|author| author.id.clone()).collect()),
        of_readers(&plain),
        of_readers(&loaded),
        pattern.id,
        include_str!("big.sql")
    );
    psql::run(&platform.base.database, &script).await.context("big authors cannot be made")?;
    // With these the service finds that they have too many followers.
    for author in &authors {
        author.write_post("A walk", "By the sea, and back.", &["TRAVEL"], "POSTED").await?;
    }
    audience.settle().await?;
    check(audience, &loaded).await?;
    for reader in plain.iter().chain(&loaded) {
        reader.warm().await?;
    }
    console::info(format_args!("Readers of {AUTHORS} big authors against readers of none"));
    let small = audience.home_feeds(&plain.iter().collect::<Vec<_>>()).await?;
    let large = audience.home_feeds(&loaded.iter().collect::<Vec<_>>()).await?;
    let comparison = rates::compare(&options.turns, &large, &small).await?;
    let description = format!(
        "`GET /me/feed` with 50 items by readers of the same {} people, whose posts are in Redis, over {} connections: {READERS} \
         of them against {READERS} who read {AUTHORS} authors with more than 10,000 followers as well, whose posts are in no feed \
         and are looked up for each page. In turns. The goal is that of all connections, a time of at most 1.2.",
        pattern.connections, options.turns.connections
    );
    let rows = vec![head("none", "some"), cells(&format!("0 against {AUTHORS} big authors"), &comparison)?];
    Ok(Measurement { title: "A page with the posts of big authors".to_owned(), description, rows })
}

fn readers(people: Vec<Person>, connections: usize) -> Result<Vec<Reader>> {
    people.into_iter().map(|person| Reader::new(person, connections)).collect()
}

/// Fails unless the posts of all big authors are looked up by these readers.
async fn check(audience: &Audience<'_>, readers: &[Reader]) -> Result<()> {
    let ids: Vec<Uuid> = readers.iter().map(|reader| reader.id).collect();
    let pulled = ask("select count(*) from engagement.follow where pulled and user_id = any($1)").bind(ids);
    let (pulled,): (i64,) = pulled.fetch_one(&audience.platform.tables).await?;
    ensure!(pulled == i64::from(READERS * AUTHORS), "{pulled} connections lead to posts that are looked up");
    Ok(())
}

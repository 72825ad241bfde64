//! `cargo stack bench graph`: how fast people are suggested, found and listed when there are 100,000 of them with 50
//! connections each, and how fast somebody famous gains and loses followers.

mod fame;
mod pages;
mod questions;
mod world;

use anyhow::{Context, Result};
use tokio::time::Instant;

use crate::client::{Api, Person};
use crate::host::console;
use crate::proof::bench::database::ask;
use crate::proof::bench::options::Graph;
use crate::proof::bench::platform::Platform;
use crate::proof::bench::section::Section;

/// What everybody signs in with.
const PASSWORD: &str = "a long walk by the sea";
/// How many people ask, one after the other.
const ASKING: i64 = 100;

/// Makes the people and measures one thing after the other: two at once would measure each other.
pub async fn run(options: &Graph, platform: &mut Platform<'_>) -> Result<Section> {
    let api = platform.api()?;
    console::tell(format_args!("Making {} people with {} connections each", options.people, options.connections));
    let began = Instant::now();
    api.join("somebody@bench.example", PASSWORD, ("Some", "Body"), &[]).await?;
    let (hash,): (String,) = ask("select password_hash from auth.account").fetch_one(&platform.tables).await?;
    world::make(&platform.tables, options, &hash).await?;
    console::tell(format_args!("Made after {:.0} s", began.elapsed().as_secs_f64()));
    let asking = (0..ASKING).map(|number| 3 + number * (options.people - 3) / ASKING);
    let mut people = Vec::new();
    for number in asking {
        people.push(sign_in(&api, number).await?);
    }
    let (famous, sociable) = (sign_in(&api, world::FAMOUS).await?, sign_in(&api, world::SOCIABLE).await?);
    let questions = questions::measure(options, &people, &sociable).await?;
    let pages = pages::measure(&people[0], &famous).await?;
    let fame = fame::measure(&people, &famous).await?;
    Ok(Section { title: "Graph", parts: vec![questions, pages, fame] })
}

async fn sign_in(api: &Api, number: i64) -> Result<Person> {
    let signed_in = api.sign_in(&format!("{number}@bench.example"), PASSWORD).await;
    signed_in.with_context(|| format!("person {number} cannot sign in"))
}

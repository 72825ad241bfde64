//! Suggestions and search, asked at a fixed rate.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::Value;
use tokio::time::Instant;

use crate::client::{Person, To};
use crate::host::console;
use crate::proof::bench::milliseconds;
use crate::proof::bench::options::Graph;
use crate::proof::bench::schedule::at_rate;
use crate::proof::bench::section::{Part, row};
use crate::proof::bench::times::Times;

/// How people on a page are asked for.
const SUGGESTIONS: &str = "/users/suggestions?limit=20";
/// What is looked for: what many names begin with, what few do, and names with a slip in them.
const SHORT: [&str; 4] = ["an", "be", "ka", "si"];
const LONG: [&str; 4] = ["anna.berg", "benrik sa", "lindahl", "torta.m"];
const SLIPS: [&str; 4] = ["bennrik", "carmunnd", "sandhein", "strandgart"];

/// Asks everything, one kind after the other.
pub async fn measure(options: &Graph, people: &[Person], sociable: &Person) -> Result<Part> {
    let mut rows = vec![row(["what", "requests", "median", "p95", "p99", "longest"])];
    let search = |texts: [&str; 4]| texts.map(|text| format!("/users/search?limit=20&q={text}")).to_vec();
    let everybody: Arc<[Person]> = people.into();
    let mut latest = Duration::ZERO;
    for (what, who, paths) in [
        ("suggestions", everybody.clone(), vec![SUGGESTIONS.to_owned()]),
        ("suggestions for somebody with 10,000 connections", [sociable.clone()].into(), vec![SUGGESTIONS.to_owned()]),
        ("search, two letters", everybody.clone(), search(SHORT)),
        ("search, most of a name", everybody.clone(), search(LONG)),
        ("search, a name with a slip", everybody.clone(), search(SLIPS)),
    ] {
        console::tell(format_args!("{what}: {} requests at {}/s", options.requests, options.rate));
        let (times, late) = ask(options, who, paths.into()).await.context(what)?;
        latest = latest.max(late);
        rows.push(times.row(what));
    }
    let says = format!(
        "{} people with {} connections each (seed {}), most of them among neighbours. {} of them ask in turn over HTTP, {} \
         requests/s at times fixed beforehand (the latest began {} late), for 20 people each. Measured is from the request to \
         the last byte of the answer.",
        options.people,
        options.connections,
        options.seed,
        people.len(),
        options.rate,
        milliseconds(latest),
    );
    Ok(Part { title: "Suggestions and search".to_owned(), says, rows })
}

async fn ask(options: &Graph, people: Arc<[Person]>, paths: Arc<[String]>) -> Result<(Times, Duration)> {
    let question = |number: u32| {
        let (people, paths, number) = (people.clone(), paths.clone(), number as usize);
        async move {
            let (person, path) = (&people[number % people.len()], &paths[number % paths.len()]);
            let began = Instant::now();
            let found: Vec<Value> = person.api.ask(Method::GET, To::Auth, path, None).await?;
            anyhow::ensure!(!found.is_empty(), "{path} finds nobody");
            Ok::<_, anyhow::Error>(began.elapsed())
        }
    };
    // Connections are opened and caches filled by the first ones.
    for warm_up in at_rate(options.rate, options.rate * 2, question).await?.results {
        warm_up?;
    }
    let done = at_rate(options.rate, options.requests, question).await?;
    let mut times = Times::new()?;
    for took in done.results {
        times.note(took?)?;
    }
    Ok((times, done.late))
}

//! The followers of somebody famous, page by page to the last one.

use anyhow::{Context, Result, ensure};
use reqwest::{Method, header::LINK};
use serde_json::Value;
use tokio::time::Instant;

use crate::client::{Person, To};
use crate::host::console;
use crate::proof::bench::section::{Part, row};
use crate::proof::bench::times::Times;

/// How many pages at either end are compared.
const PAGES: usize = 50;

/// Reads all of the list, in pages of 200.
pub async fn measure(reader: &Person, famous: &Person) -> Result<Part> {
    console::tell("All followers of one person, page by page");
    let mut next = Some(format!("/users/{}/followers?limit=200", famous.id));
    let (mut times, mut people) = (Vec::new(), 0);
    while let Some(path) = next {
        let began = Instant::now();
        let (list, following) = page(reader, &path).await?;
        times.push(began.elapsed());
        people += list.len();
        next = following;
    }
    ensure!(times.len() >= 2, "{people} followers are too few to compare pages");
    let (pages, ends) = (times.len(), PAGES.min(times.len() / 2));
    let mut rows = vec![row(["pages", "requests", "median", "p95", "p99", "longest"])];
    for (what, times) in [("the first", &times[..ends]), ("the last", &times[pages - ends..]), ("all", &times[..])] {
        let mut seen = Times::new()?;
        for took in times {
            seen.note(*took)?;
        }
        rows.push(seen.row(what));
    }
    let says = format!(
        "The {people} followers of one person, in {pages} pages of 200, one after the other. Each has its profile, and what it is \
         to the reader."
    );
    Ok(Part { title: "Pages of followers".to_owned(), says, rows })
}

/// One page, and the path of the next one.
async fn page(reader: &Person, path: &str) -> Result<(Vec<Value>, Option<String>)> {
    let answer = reader.api.request(Method::GET, To::Auth, path, None).await?.error_for_status()?;
    let link = answer.headers().get(LINK).and_then(|link| link.to_str().ok());
    let next = link.and_then(|link| link.strip_prefix("</api/v1")?.strip_suffix(">; rel=\"next\""));
    let next = next.map(str::to_owned);
    let text = answer.text().await.with_context(|| format!("the page {path} breaks off"))?;
    Ok((serde_json::from_str(&text).with_context(|| format!("{path} is no list"))?, next))
}

//! How soon a search is answered, by how many posts it fits.

use std::time::Instant;

use anyhow::{Context, Result};

use crate::host::console;
use crate::proof::bench::latency::{LatencyHistogram, milliseconds};
use crate::proof::bench::load::connection::{Connection, PreparedRequest};
use crate::proof::bench::options::Search;
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::{Measurement, row};
use crate::servers::psql;
use crate::system::POST;

/// How often each is asked for.
const TIMES: u32 = 200;

/// What is asked for. `fill.sql` says how many posts have each word.
const QUESTIONS: [(&str, &str); 8] = [
    ("a rare word", "/api/v1/posts/search?q=rarest&limit=20"),
    ("a word of one post in twenty", "/api/v1/posts/search?q=twentieth&limit=20"),
    ("a word of every post", "/api/v1/posts/search?q=common&limit=20"),
    ("the same by time", "/api/v1/posts/search?q=common&limit=20&order=time"),
    ("a phrase of every post", "/api/v1/posts/search?q=%22steam+power%22&limit=20"),
    ("a word of every post and a rare one", "/api/v1/posts/search?q=common+rarest&limit=20"),
    ("suggestions for one letter", "/api/v1/search/suggest?q=t"),
    ("suggestions for a word", "/api/v1/search/suggest?q=engine"),
];

/// Asks one after the other.
pub async fn measure(options: &Search, platform: &MeasuredPlatform<'_>) -> Result<Measurement> {
    let person = platform.sign_up(1).await?.pop().context("nobody signed up")?;
    console::info(format_args!("Making {} posts", options.posts));
    let script = format!("\\set posts {}\n{}", options.posts, include_str!("fill.sql"));
    psql::run(&platform.base.database, &script).await.context("posts cannot be made")?;
    let address = platform.address(&POST)?;
    let token = person.api.access_token().await?.unwrap_or_default();
    let mut connection = Connection::open(address).await?;
    let mut rows = vec![row(["what", "p50", "p95", "p99"])];
    for (what, path) in QUESTIONS {
        let request = PreparedRequest::get(address, path, &token)?;
        let mut latencies = LatencyHistogram::new()?;
        for _ in 0..TIMES {
            let begin = Instant::now();
            connection.ask(&request).await?;
            latencies.record(begin.elapsed())?;
        }
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|q| milliseconds(latencies.quantile(q)));
        rows.push(row([what, &p50, &p95, &p99]));
    }
    let description = format!(
        "Among {} posts each is asked for {TIMES} times, one request after the other, for a page of 20. Ten posts have the rare word. \
         The goal is a p95 of 20 ms for suggestions.",
        options.posts
    );
    Ok(Measurement { title: "A search".to_owned(), description, rows })
}

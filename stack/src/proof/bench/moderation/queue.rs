//! What a moderator waits for, with few cases in the queue and with very many.

use std::time::Instant;

use anyhow::{Context, Result};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::client::Person;
use crate::host::console;
use crate::proof::bench::database::sql;
use crate::proof::bench::latency::{LatencyHistogram, milliseconds};
use crate::proof::bench::load::connection::{Connection, PreparedRequest};
use crate::proof::bench::options::Moderation;
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::{Measurement, row};
use crate::servers::psql;
use crate::system::MODERATION;

/// Cases where there are few.
const FEW: i64 = 1_000;
/// How often each is asked for.
const TIMES: u32 = 200;

/// What a moderator asks for: a read, or a body to send.
struct Question {
    what: &'static str,
    path: &'static str,
    body: Option<Value>,
}

fn questions() -> [Question; 5] {
    let claim = |what, body| Question { what, path: "/api/v1/moderation/queue/claim", body: Some(body) };
    let read = |what, path| Question { what, path, body: None };
    [
        claim("claim the next", json!({})),
        claim("claim the next of a rare family", json!({ "family": "CHILD_SAFETY" })),
        read("a page", "/api/v1/moderation/queue"),
        read("a page of a rare family", "/api/v1/moderation/queue?family=CHILD_SAFETY"),
        read("a page of what was escalated", "/api/v1/moderation/queue?escalated=true"),
    ]
}

/// Asks one after the other, among few cases and then among many.
pub async fn measure(options: &Moderation, platform: &MeasuredPlatform<'_>) -> Result<Measurement> {
    let moderator = moderator(platform).await?;
    fill(platform, FEW).await?;
    let few = ask_all(platform, &moderator).await?;
    console::info(format_args!("Making {} cases", options.cases));
    fill(platform, options.cases).await?;
    let many = ask_all(platform, &moderator).await?;
    let mut rows = vec![row(["what", "few: p50", "p99", "many: p50", "p99"])];
    for ((question, few), many) in questions().iter().zip(&few).zip(&many) {
        let [few_p50, few_p99] = [0.5, 0.99].map(|q| milliseconds(few.quantile(q)));
        let [many_p50, many_p99] = [0.5, 0.99].map(|q| milliseconds(many.quantile(q)));
        rows.push(row([question.what, &few_p50, &few_p99, &many_p50, &many_p99]));
    }
    let description = format!(
        "A moderator asks {TIMES} times for each, one request after the other, with {FEW} cases in the queue and with {}. Each \
         claim takes one more case; a page has 50. Of 20,000 cases one is of the rare family, and of 500 one was escalated.",
        options.cases
    );
    Ok(Measurement { title: "The queue".to_owned(), description, rows })
}

/// A moderator, who has the role before any service has seen them.
async fn moderator(platform: &MeasuredPlatform<'_>) -> Result<Person> {
    let person = platform.sign_up(1).await?.pop().context("nobody signed up")?;
    let promote = sql("update auth.account set role = 'MODERATOR' where id::text = $1").bind(person.id.clone());
    promote.execute(&platform.tables).await.context("the role cannot be given")?;
    Ok(person)
}

/// Makes the queue that many cases long, and ends all claims.
async fn fill(platform: &MeasuredPlatform<'_>, cases: i64) -> Result<()> {
    let script = format!("\\set cases {cases}\n{}", include_str!("fill.sql"));
    psql::run(&platform.base.database, &script).await.map(drop).context("cases cannot be made")
}

async fn ask_all(platform: &MeasuredPlatform<'_>, moderator: &Person) -> Result<Vec<LatencyHistogram>> {
    let address = platform.address(&MODERATION)?;
    let token = moderator.api.access_token().await?.unwrap_or_default();
    let mut connection = Connection::open(address).await?;
    let mut all = Vec::new();
    for question in questions() {
        let request = match &question.body {
            Some(body) => PreparedRequest::post(address, question.path, &token, body)?.expecting(StatusCode::OK),
            None => PreparedRequest::get(address, question.path, &token)?,
        };
        let mut latencies = LatencyHistogram::new()?;
        for _ in 0..TIMES {
            let begin = Instant::now();
            connection.ask(&request).await?;
            latencies.record(begin.elapsed())?;
        }
        all.push(latencies);
    }
    Ok(all)
}

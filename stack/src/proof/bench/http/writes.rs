//! Writes against their own statements: the same rows, by `pgbench`.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::client::Person;
use crate::host::console;
use crate::proof::bench::comparison::Comparison;
use crate::proof::bench::database::{ask, sql};
use crate::proof::bench::http::fill::{self, FEW};
use crate::proof::bench::http::people::PEOPLE;
use crate::proof::bench::http::pgbench::PgBench;
use crate::proof::bench::load::LoadGenerator;
use crate::proof::bench::load::connection::PreparedRequest;
use crate::proof::bench::options::Http;
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::rates;
use crate::proof::bench::report::Measurement;
use crate::proof::bench::statements;
use crate::system::{INTERACTION, POST, Service};

/// Ids by run, client and number, in the order of time for each client, as those of the services are.
const ID: &str = "create or replace function bench.id(run int, client int, n bigint) returns uuid immutable parallel safe
    language sql as $$ select ('018f0000-' || lpad(to_hex(run), 4, '0') || '-7' || lpad(to_hex(client), 3, '0') || '-8000-'
        || lpad(to_hex(n), 12, '0'))::uuid $$";
/// The id of the new row, its author, and the post that it is about.
const NEW: &str = "bench.id(:run::int, :client_id::int, :n::bigint)";
const AUTHOR: &str = "((:authors::uuid[])[:author::int])";
const ABOUT: &str = "bench.post(:post::bigint)";

const TEXT: &str = "Well said. I had not looked at it in this way before, and now I cannot look at it in any other.";

/// Measures the writing of posts and of comments.
pub async fn measure(options: &Http, platform: &MeasuredPlatform<'_>, people: &[Person]) -> Result<Measurement> {
    sql(ID).execute(&platform.tables).await?;
    let posts = Write {
        service: &POST,
        what: "POST /posts",
        paths: vec!["/api/v1/posts".to_owned()],
        body: json!({ "title": "A walk", "content": TEXT, "types": ["TRAVEL"], "status": "POSTED" }),
        stream: "post_created",
        script: post_script()?,
    };
    let comments = Write {
        service: &INTERACTION,
        what: "POST /{post_id}/comments",
        paths: (1..=FEW).map(|number| format!("/api/v1/{}/comments", fill::id(number))).collect(),
        body: json!({ "content": TEXT }),
        stream: "post_comment_created",
        script: comment_script()?,
    };
    let rows = vec![
        rates::head("pgbench/s"),
        posts.compare(options, platform, people).await?,
        comments.compare(options, platform, people).await?,
    ];
    let description = format!(
        "The upper limit is `pgbench` with the statements of the service (prepared, from its `.sqlx`, with the events in them), \
         as the role of the service, with {} clients where the service gets requests over as many connections. The effects \
         of the events are applied by the other services in both cases, at the same time and on the same cores; a turn \
         begins when all are applied.",
        options.turns.connections
    );
    Ok(Measurement { title: "Writes against pgbench".to_owned(), description, rows })
}

/// One kind of write.
struct Write {
    service: &'static Service,
    what: &'static str,
    paths: Vec<String>,
    body: Value,
    stream: &'static str,
    script: String,
}

impl Write {
    async fn compare(&self, options: &Http, platform: &MeasuredPlatform<'_>, people: &[Person]) -> Result<Vec<String>> {
        console::info(format_args!("{} against pgbench: {} rounds", self.what, options.turns.rounds));
        let (address, mut requests) = (platform.address(self.service)?, Vec::new());
        for (number, path) in self.paths.iter().cycle().take(self.paths.len().max(people.len())).enumerate() {
            let token = people[number % people.len()].api.access_token().await?.unwrap_or_default();
            requests.push(PreparedRequest::post(address, path, &token, &self.body)?);
        }
        let connections = options.turns.connections;
        let load = LoadGenerator { requests: requests.into(), connections };
        // A few writes, so that there is an event to take as a template.
        load.open(100, Duration::from_millis(200)).await?;
        let variables = self.variables(platform, people).await?;
        let database = (platform.base.config.database(self.service)?, self.service.noun);
        let mut pgbench = PgBench::new(platform.base.folder(), database, connections, &self.script, variables)?;
        let time = Duration::from_secs(options.turns.seconds.into());
        let comparison = Comparison::run(
            options.turns.rounds,
            async || {
                platform.settle().await?;
                Ok(load.closed(time).await?.rate())
            },
            async || {
                platform.settle().await?;
                pgbench.rate(options.turns.seconds).await
            },
        )
        .await?;
        platform.settle().await?;
        let row = rates::row(&load, &comparison, self.what, &options.turns).await?;
        platform.settle().await?;
        Ok(row)
    }

    /// The values of a row of this kind that a request has just written.
    async fn variables(
        &self,
        platform: &MeasuredPlatform<'_>,
        people: &[Person],
    ) -> Result<Vec<(&'static str, String)>> {
        let noun = self.service.noun;
        let (nft, of) = if noun == "post" { ("post_nft", "post_id") } else { ("comment_nft", "comment_id") };
        let query = format!(
            "select message::text, traceparent, message ->> 'id', message ->> 'created_by', description
            from {noun}.outbox join {noun}.{nft} as nft on nft.{of} = (message ->> 'id')::uuid
            where stream = $1 order by seq desc limit 1"
        );
        let (message, trace, id, author, description): (String, String, String, String, String) =
            ask(AssertSqlSafe(query))
                .bind(self.stream)
                .fetch_one(&platform.tables)
                .await
                .context("no event was published")?;
        let authors = people.iter().map(|person| person.id.as_str()).collect::<Vec<_>>().join(",");
        Ok(vec![
            ("n", "0".to_owned()),
            ("message", message),
            ("trace", trace),
            ("old_id", id),
            ("old_author", author),
            ("description", description),
            ("authors", format!("{{{authors}}}")),
            ("content", TEXT.to_owned()),
        ])
    }
}

/// A post, as the post service writes it. Its document is written later, and beside.
fn post_script() -> Result<String> {
    Ok(script(
        &[],
        &[
            statements::filled(
                &POST,
                "insert into post (",
                &[NEW, AUTHOR, "'A walk'", ":content", "'{TRAVEL}'", "'POSTED'", "null", "'EVERYONE'"],
            )?,
            statements::filled(&POST, "insert into post_nft (", &[NEW, AUTHOR, NEW, ":description", "null"])?,
            statements::filled(&POST, "insert into search_pending (post_id) values", &[NEW])?,
            outbox(&POST, "post_created")?,
        ],
    ))
}

/// A comment, as the interaction service writes it.
fn comment_script() -> Result<String> {
    Ok(script(
        &[statements::filled(&INTERACTION, "select visible(post, $2) as", &[ABOUT, AUTHOR])?],
        &[
            statements::filled(
                &INTERACTION,
                "select id from post where id = $1 and visible(post, $2) for share",
                &[ABOUT, AUTHOR],
            )?,
            statements::filled(&INTERACTION, "insert into comment (", &[NEW, AUTHOR, ABOUT, ":content", "null"])?,
            statements::filled(&INTERACTION, "insert into comment_nft (", &[NEW, AUTHOR, NEW, ":description", "null"])?,
            outbox(&INTERACTION, "post_comment_created")?,
        ],
    ))
}

/// The event of a row that was recorded, about the new row and its author.
fn outbox(service: &Service, stream: &str) -> Result<String> {
    let message = format!("replace(replace(:message, :old_id, {NEW}::text), :old_author, {AUTHOR}::text)");
    let (ids, messages) = (format!("array[{NEW}]"), format!("array[{message}]"));
    statements::filled(service, "insert into outbox (", &[&format!("'{stream}'"), &ids, &messages, ":trace"])
}

/// The queries before it, and a transaction.
fn script(before: &[String], transaction: &[String]) -> String {
    let choices = [
        "\\set n :n + 1".to_owned(),
        format!("\\set author :client_id % {PEOPLE} + 1"),
        format!("\\set post random(1, {FEW})"),
    ];
    let word = |word: &str| vec![word.to_owned()];
    let statements = [before, &word("begin"), transaction, &word("commit")].concat();
    let statements = statements.into_iter().map(|statement| format!("{statement};"));
    choices.into_iter().chain(statements).map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_of_pgbench_is_that_of_the_service() {
        let (post, comment) = (post_script().unwrap(), comment_script().unwrap());
        let begin = |script: &str| -> Vec<String> {
            let lines = script.lines().map(|line| line.split_whitespace().take(3).collect::<Vec<_>>().join(" "));
            lines.filter(|line| !line.starts_with('\\')).collect()
        };
        let insert = |table: &str| format!("insert into {table}");
        assert_eq!(
            begin(&post),
            [
                "begin;".to_owned(),
                insert("post"),
                insert("post_nft"),
                insert("search_pending"),
                insert("outbox"),
                "commit;".to_owned()
            ]
        );
        assert!(comment.lines().any(|line| line.starts_with("select visible(post, ")));
        assert_eq!(begin(&comment)[1..3], ["begin;", "select id from"]);
        assert_eq!(
            begin(&comment)[3..],
            [insert("comment"), insert("comment_nft"), insert("outbox"), "commit;".to_owned()]
        );
        assert!(!post.contains('$') && !comment.contains('$'), "no parameter is left without a value");
    }
}

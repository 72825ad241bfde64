//! `pgbench` with the statements of a service: the same rows, by a program of Postgres's own that does nothing else.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use reqwest::Url;
use serde::Deserialize;
use tokio::process::Command;

use crate::host::{programs, workspace};
use crate::servers::folder::Folder;
use crate::servers::postgres::succeed;
use crate::system::Service;

/// A transaction that is carried out again and again.
pub struct PgBench {
    program: PathBuf,
    script: PathBuf,
    database: Url,
    schema: &'static str,
    clients: u32,
    variables: Vec<(&'static str, String)>,
    /// Rows of every run have ids of their own.
    run: u32,
}

impl PgBench {
    /// A script, to be run as the role of a service by a number of clients at once, with texts for its variables.
    pub fn new(
        folder: &Folder,
        (database, schema): (Url, &'static str),
        clients: u32,
        script: &str,
        variables: Vec<(&'static str, String)>,
    ) -> Result<PgBench> {
        let bin = programs::postgres(None).context("the programs of PostgreSQL are not found")?;
        let path = folder.path().join(format!("{schema}.pgbench"));
        fs::write(&path, script).with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(PgBench { program: bin.join("pgbench"), script: path, database, schema, clients, variables, run: 0 })
    }

    /// Transactions per second, over a number of seconds.
    pub async fn rate(&mut self, seconds: u32) -> Result<f64> {
        self.run += 1;
        let mut command = Command::new(&self.program);
        command.args(["--no-vacuum", "--protocol=prepared", "--jobs=1"]);
        command.arg(format!("--client={}", self.clients)).arg(format!("--time={seconds}"));
        command.arg("--file").arg(&self.script);
        let run = ("run", self.run.to_string());
        for (name, value) in self.variables.iter().chain([&run]) {
            command.arg(format!("--define={name}={value}"));
        }
        command.arg(self.database.as_str()).env("PGOPTIONS", format!("-c search_path={}", self.schema));
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = command.output().await.context("pgbench cannot be run")?;
        succeed("pgbench", &output)?;
        let output = String::from_utf8_lossy(&output.stdout);
        rate(&output).with_context(|| format!("pgbench does not report its rate: {output}"))
    }
}

fn rate(output: &str) -> Option<f64> {
    let failed = output.lines().find_map(|line| line.strip_prefix("number of failed transactions: "));
    if failed.is_some_and(|failed| !failed.starts_with("0 ")) {
        return None;
    }
    output.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok())
}

/// The description of a query with which a service is compiled.
#[derive(Deserialize)]
struct Description {
    query: String,
}

/// The one statement of a service that begins with these words (from its `.sqlx`), with these expressions in place of its
/// parameters.
pub fn statement(service: &Service, begins: &str, values: &[&str]) -> Result<String> {
    let folder = workspace::root().join(service.package).join(".sqlx");
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let description: Description = serde_json::from_slice(&fs::read(entry?.path())?)?;
        if one_line(&description.query).starts_with(begins) {
            found.push(description.query);
        }
    }
    match found.as_slice() {
        [only] => Ok(filled(only, values)),
        others => bail!("{} statements of the {} begin with `{begins}`", others.len(), service.package),
    }
}

fn one_line(query: &str) -> String {
    query.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn filled(query: &str, values: &[&str]) -> String {
    // From the last one down: $1 is the beginning of $10.
    let numbered = values.iter().enumerate().rev();
    numbered.fold(one_line(query), |text, (place, value)| text.replace(&format!("${}", place + 1), value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::POST;

    #[test]
    fn a_rate_is_parsed_unless_a_transaction_failed() {
        let well = "number of failed transactions: 0 (0.000%)\ntps = 1234.5 (without initial connection time)\n";
        assert_eq!(rate(well), Some(1234.5));
        assert_eq!(rate(&well.replace(": 0 (0.0", ": 7 (1.0")), None);
        assert_eq!(rate("pgbench: error: no server"), None);
    }

    #[test]
    fn values_take_the_place_of_parameters() {
        let values: Vec<String> = (1..=10).map(|number| format!("v{number}")).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        assert_eq!(filled("select $1,\n        $10 || $1", &values), "select v1, v10 || v1");
    }

    #[test]
    fn a_statement_is_found_by_how_it_begins_if_only_one_does() {
        assert!(statement(&POST, "insert into post_nft (", &[]).unwrap().contains("on conflict (post_id) do update"));
        let error = statement(&POST, "drop table", &[]).unwrap_err().to_string();
        assert_eq!(error, "0 statements of the post-service begin with `drop table`");
    }
}

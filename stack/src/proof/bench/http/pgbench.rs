//! `pgbench` with the statements of a service: the same rows, by a program of Postgres's own that does nothing else.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};
use reqwest::Url;
use tokio::process::Command;

use crate::host::programs;
use crate::servers::folder::Folder;
use crate::servers::postgres::succeed;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_parsed_unless_a_transaction_failed() {
        let well = "number of failed transactions: 0 (0.000%)\ntps = 1234.5 (without initial connection time)\n";
        assert_eq!(rate(well), Some(1234.5));
        assert_eq!(rate(&well.replace(": 0 (0.0", ": 7 (1.0")), None);
        assert_eq!(rate("pgbench: error: no server"), None);
    }
}

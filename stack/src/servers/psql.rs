//! SQL by psql, as the superuser of a server.

use std::process::Stdio;

use anyhow::{Context, Result};
use reqwest::Url;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::host::programs::Program;
use crate::servers::postgres::succeed;

/// Runs SQL as the user of the address, and returns the rows that it selects: one line each, columns separated by `|`. The
/// first error ends it.
pub async fn run(server: &Url, sql: &str) -> Result<String> {
    let mut command = Command::new(Program::Psql.path()?);
    command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1", "--dbname"]);
    let mut address = server.clone();
    // Other users of this machine can read the arguments of a process, but not its environment. A password with
    // escapes stays in the address, which only psql knows to decode.
    if let Some(password) = server.password().filter(|password| !password.contains('%'))
        && address.set_password(None).is_ok()
    {
        command.env("PGPASSWORD", password);
    }
    command.arg(address.as_str()).env("PGCONNECT_TIMEOUT", "10");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().context("psql cannot be run")?;
    let mut input = child.stdin.take().context("psql has no input")?;
    // When psql cannot connect it ends before it has read everything; its own error says why.
    let write = async {
        let written = input.write_all(sql.as_bytes()).await;
        drop(input);
        written
    };
    // At once: it writes rows before it has read the whole script.
    let (written, output) = tokio::join!(write, child.wait_with_output());
    let output = output.context("psql does not end")?;
    succeed("psql", &output)?;
    written.context("psql did not read the script")?;
    String::from_utf8(output.stdout).context("psql returns no text")
}

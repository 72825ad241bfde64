//! `cargo stack test`: every test of the workspace, against servers that exist for this run only.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

use crate::host::programs::{self, Program};
use crate::host::shutdown::Shutdown;
use crate::host::{browser_tools, chain_node, console, workspace};
use crate::servers::temporary::TemporaryServers;

#[derive(Debug, Args)]
pub struct Test {
    /// Passed on to the test runner, e.g. a filter or `-p auth-service`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<String>,
}

/// Runs the tests; ends with the runner's own summary and its exit code.
pub async fn test(options: Test) -> Result<ExitCode> {
    let mut shutdown = Shutdown::listen()?;
    let mut servers = TemporaryServers::new(&[Program::Postgres, Program::Redis]).await?;
    let outcome = run(&mut servers, &options.arguments, &mut shutdown).await;
    servers.stop().await?;
    outcome
}

async fn run(servers: &mut TemporaryServers, arguments: &[String], shutdown: &mut Shutdown) -> Result<ExitCode> {
    let packages = packages(arguments);
    // The end-to-end tests start these binaries; built for the whole workspace, so that the tests' own build finds
    // every dependency compiled with the same features.
    if packages.is_empty() || packages.contains(&"stack") {
        let mut build = workspace::cargo(&["build", "--workspace", "--bins"]);
        if !workspace::run(&mut build, shutdown).await?.success() {
            bail!("the services cannot be built; see the compiler's errors above");
        }
    }
    // The tests in a browser are among those that are run when they are asked for.
    if arguments.iter().any(|argument| argument.contains("ignored")) {
        browser_tools::provide().await;
    }
    if packages.is_empty() || packages.contains(&"stack") || packages.contains(&"post-service") {
        chain_node::provide().await;
    }
    let (postgres, redis) = shutdown.or(servers.start_both()).await?;
    let mut command = workspace::cargo(runner(programs::on_path("cargo-nextest").is_some()));
    if packages.is_empty() {
        command.arg("--workspace");
    }
    command.args(arguments).env("DATABASE_URL", postgres.as_str()).env("REDIS_URL", redis.as_str());
    let status = tokio::select! {
        status = workspace::run(&mut command, shutdown) => status?,
        error = servers.processes.first_end() => return Err(error),
    };
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Nextest where it is installed: it runs every test in a process of its own, and several at once.
fn runner(nextest: bool) -> &'static [&'static str] {
    if nextest {
        &["nextest", "run"]
    } else {
        console::info("cargo-nextest is not installed: cargo test runs the tests instead, more slowly");
        &["test"]
    }
}

/// The packages that arguments of the runner select: `-p NAME`, `-pNAME`, `--package NAME` or `--package=NAME`.
fn packages(arguments: &[String]) -> Vec<&str> {
    let own = arguments.iter().take_while(|argument| *argument != "--");
    let following = own.clone().map(String::as_str).skip(1);
    let named = own.map(String::as_str).zip(following.chain([""])).filter_map(|(argument, next)| match argument {
        "-p" | "--package" => Some(next),
        _ => argument.strip_prefix("--package=").or_else(|| argument.strip_prefix("-p")),
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_are_those_that_the_runner_selects() {
        let given = |line: &str| {
            let arguments: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
            packages(&arguments).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(given("-p post-service blocks"), ["post-service"]);
        assert_eq!(
            given("--package=stack -pauth-service --package post-service"),
            ["stack", "auth-service", "post-service"]
        );
        assert_eq!(given("blocks -- -p"), [""; 0]);
        assert_eq!(given(""), [""; 0]);
    }
}

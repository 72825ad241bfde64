//! `cargo stack fuzz`: the five `openapi.json`, tested against a running platform with generated requests. The fuzzer is
//! schemathesis; it is used where it is installed, and is no part of this project.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use reqwest::Url;
use tokio::process::Command;

use crate::client::{Api, address};
use crate::host::console::{info, show};
use crate::host::programs::on_path;
use crate::system::SERVICES;
use crate::traffic::target::Target;

const PASSWORD: &str = "a long walk by the sea";
/// No answer is a 5xx, and every answer has a status, a type and a shape that the document names.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
/// Examples from the documents, every limit and every wrong type once, then what chance brings. Stateful sequences would
/// delete the account that asks.
const PHASES: &str = "examples,coverage,fuzzing";
/// What would end the session that asks, or the account, once the fuzzer has learnt its id from an answer.
const SPARED: [&str; 5] = [
    "POST /api/v1/auth/signout",
    "POST /api/v1/auth/signout-everywhere",
    "DELETE /api/v1/auth/sessions/{session_id}",
    "PUT /api/v1/users/{user_id}",
    "DELETE /api/v1/users/{user_id}",
];

#[derive(Debug, Args)]
pub struct Fuzz {
    #[command(flatten)]
    pub target: Target,
    /// Requests per operation that chance brings, at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub examples: u32,
    /// The same number makes the same requests
    #[arg(long = "seed", value_name = "S", default_value_t = 1)]
    pub number: u64,
    /// The fuzzer, when it is not on the PATH
    #[arg(long, value_name = "FILE")]
    pub program: Option<PathBuf>,
}

/// Fuzzes every service; fails when one answers as its document does not say.
pub async fn fuzz(options: Fuzz) -> Result<ExitCode> {
    let fuzzer = fuzzer(options.program.clone())?;
    let api = Api::new(&options.target.base_url, 1)?;
    let email = format!("fuzzer.{:08x}@example.org", rand::random::<u32>());
    api.join(&email, PASSWORD, ("Fuzzy", "Caller"), &["BOOKS"]).await?;
    let mut broken = Vec::new();
    for service in &SERVICES {
        // A token of its own for each service: a run may take longer than a token lives.
        let person = api.sign_in(&email, PASSWORD).await?;
        let token = person.api.access_token().await?.context("there is no session")?;
        info(format!("{}:", service.package));
        let address = address(&options.target.base_url, service.offset)?;
        if !run(&fuzzer, &address, &token, &options).await? {
            broken.push(service.package);
        }
    }
    if broken.is_empty() {
        show("Every answer was as the documents say.");
        return Ok(ExitCode::SUCCESS);
    }
    bail!("not as their documents say: {}", broken.join(", "))
}

/// The fuzzer's program.
fn fuzzer(given: Option<PathBuf>) -> Result<PathBuf> {
    let found = given.or_else(|| on_path("schemathesis")).or_else(|| on_path("st"));
    found.context("schemathesis is not on the PATH; `pip install schemathesis` brings it, or say --program where it is")
}

/// Whether a service keeps to its document.
async fn run(fuzzer: &Path, service: &Url, token: &str, options: &Fuzz) -> Result<bool> {
    let status = Command::new(fuzzer)
        .args(["run", service.join("openapi.json")?.as_str(), "--url", service.as_str(), "--no-color"])
        .args(["--checks", CHECKS, "--phases", PHASES])
        .args(SPARED.iter().flat_map(|operation| ["--exclude-name", operation]))
        .args(["--max-examples", &options.examples.to_string(), "--seed", &options.number.to_string()])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .status();
    Ok(status.await.with_context(|| format!("{} cannot be run", fuzzer.display()))?.success())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::ENGAGEMENT;

    #[test]
    fn services_are_found_beside_the_first() {
        let base = "http://127.0.0.1:8600".parse().unwrap();
        assert_eq!(address(&base, ENGAGEMENT.offset).unwrap().as_str(), "http://127.0.0.1:8604/");
        assert!(address(&"http://127.0.0.1:65535".parse().unwrap(), ENGAGEMENT.offset).is_err());
    }

    #[test]
    fn a_program_that_is_named_is_taken() {
        assert_eq!(fuzzer(Some("/opt/st".into())).unwrap(), PathBuf::from("/opt/st"));
    }
}

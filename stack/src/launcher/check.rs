//! `cargo stack check`: everything that a change has to pass, tests aside.

use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::host::shutdown::Shutdown;
use crate::host::{console, programs, workspace};
use crate::launcher::{deployment, promtool};

/// The checks that need nothing but cargo, in the order of their price.
const CHECKS: [(&str, &[&str]); 3] = [
    ("format", &["fmt", "--all", "--check"]),
    ("lints", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    ("licences, bans and sources", &["deny", "--log-level", "error", "check", "licenses", "bans", "sources"]),
];
/// For the whole workspace, whose features are resolved together: by its package alone, its dependencies would be built again.
const LAWS: [&str; 4] = ["--workspace", "--test", "main", "shape::"];
const FETCH_ADVISORIES: &[&str] = &["deny", "--log-level", "error", "fetch", "db"];
const CHECK_ADVISORIES: &[&str] = &["deny", "--log-level", "error", "check", "--disable-fetch", "advisories"];

/// Runs every check, and reports at the end which have failed.
pub async fn check() -> Result<ExitCode> {
    let mut shutdown = Shutdown::listen()?;
    let shutdown = &mut shutdown;
    if programs::on_path("cargo-deny").is_none() {
        console::info("cargo-deny is not installed: installing it with cargo, which takes some minutes");
        if !passes("cargo-deny", &["install", "cargo-deny", "--locked"], shutdown).await? {
            bail!("cargo-deny cannot be installed; see cargo's errors above");
        }
    }
    let mut failed = Vec::new();
    for (name, arguments) in CHECKS {
        if !passes(name, arguments, shutdown).await? {
            failed.push(name);
        }
    }
    if !advisories(shutdown).await? {
        failed.push("advisories");
    }
    let runner: &[&str] = if programs::on_path("cargo-nextest").is_some() { &["nextest", "run"] } else { &["test"] };
    if !passes("laws", &[runner, &LAWS[..]].concat(), shutdown).await? {
        failed.push("laws");
    }
    match promtool::check(shutdown).await? {
        Some(true) => {}
        Some(false) => failed.push("watching"),
        None => console::info(
            "\nwarning: promtool is not installed (Debian's package prometheus), so alerts and dashboards were not checked",
        ),
    }
    match deployment::check(shutdown).await? {
        Some(true) => {}
        Some(false) => failed.push("deployment"),
        None => console::info(
            "\nwarning: Helm, the schemas of Kubernetes and squawk cannot be fetched (with npm and python3), so the chart and new \
             migrations were not checked",
        ),
    }
    if failed.is_empty() {
        console::info("All checks have passed");
        return Ok(ExitCode::SUCCESS);
    }
    bail!("these checks have failed: {}", failed.join(", "));
}

/// Known vulnerabilities. The database of them lives elsewhere: when it cannot be fetched, that is no fault of the
/// code, and is a warning.
async fn advisories(shutdown: &mut Shutdown) -> Result<bool> {
    let fetch =
        workspace::cargo(FETCH_ADVISORIES).stdin(Stdio::null()).output().await.context("cargo cannot be run")?;
    if fetch.status.success() {
        return passes("advisories", CHECK_ADVISORIES, shutdown).await;
    }
    let errors = String::from_utf8_lossy(&fetch.stderr);
    if !errors.contains("failed to fetch") {
        console::info(format_args!("\n== advisories: cargo {}\n{}", FETCH_ADVISORIES.join(" "), errors.trim()));
        return Ok(false);
    }
    console::info(format_args!(
        "warning: advisory database could not be fetched, so known vulnerabilities were not looked for:\n{}",
        errors.trim()
    ));
    Ok(true)
}

async fn passes(name: &str, arguments: &[&str], shutdown: &mut Shutdown) -> Result<bool> {
    console::info(format_args!("\n== {name}: cargo {}", arguments.join(" ")));
    Ok(workspace::run(workspace::cargo(arguments).stdin(Stdio::null()), shutdown).await?.success())
}
